//! Reading views.

use super::{
    App, AsOf, MAX_WAIT, ReadError, Rows, RowsQuery, Token, ViewAction, ViewDiff, ViewDone,
    ViewError, ViewRow, ViewStatus,
};
use crate::runtime::view::ViewState;
use crate::sql::{Sql, SqlError, SqlProjection};
use fait_core::decision::Boundary;
use fait_core::event::Position;
use fait_core::projection::Projection;
use fait_core::query::Query;
use fait_core::store::{Range, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// Events read at once for a model.
const PAGE: usize = 1000;

/// A typed view: `app.view::<TablePlan>().at_least(&receipt).get(&table).await`, or
/// `app.view::<TablePlan>().filter("table", 4).sort("-placed_at").limit(50).rows().await`.
#[derive(Debug)]
pub struct View<'a, P> {
    app: &'a App,
    at_least: Option<Token>,
    at_most: Duration,
    as_of: Option<AsOf>,
    query: RowsQuery,
    projection: PhantomData<fn() -> P>,
}

impl<P: Projection> View<'_, P> {
    /// Waits, at most [`MAX_WAIT`], until the view shows what a receipt, or its token, is for.
    #[must_use]
    pub fn at_least(mut self, token: impl Into<Token>) -> Self {
        self.at_least = Some(token.into());
        self
    }

    /// Waits at most so long instead. Zero looks once.
    #[must_use]
    pub fn wait_at_most(mut self, time: Duration) -> Self {
        self.at_most = time;
        self
    }

    /// Reads it as it was at a moment: folded again from the log by the code of today. One row of
    /// a view that is keyed by tags costs its own events; all rows cost all of history.
    #[must_use]
    #[expect(clippy::wrong_self_convention, reason = "it is what databases call it")]
    pub fn as_of(mut self, moment: impl Into<AsOf>) -> Self {
        self.as_of = Some(moment.into());
        self
    }

    async fn state(&self) -> Result<&Arc<ViewState>, ReadError> {
        let state = self.app.state(P::NAME)?;
        let Some(token) = &self.at_least else {
            return Ok(state);
        };
        let wanted = self.app.position_of(token).await?;
        if self
            .app
            .wait_for_view(P::NAME, wanted, self.at_most)
            .await?
        {
            return Ok(state);
        }
        Err(ReadError::CatchingUp {
            view: P::NAME.into(),
            at: state.feed.at(),
            wanted,
        })
    }

    /// One row.
    ///
    /// # Errors
    /// The view is not there, is still catching up, the token is of another history, or the row
    /// is not of this type.
    pub async fn get(&self, key: &P::Key) -> Result<Option<P::Row>, ReadError> {
        let (state, key) = (self.state().await?, key.to_string());
        let core = &self.app.core;
        let row = match self.as_of {
            Some(moment) => {
                let at = core.position_of(moment).await?;
                core.past_row(state, &key, at).await?
            }
            None => core.view_row(state, &key).await?,
        };
        row.map(|r| typed(r.row)).transpose()
    }

    /// Only rows that this holds for: a column, or a column and how it is compared, and a value;
    /// see [`RowsQuery`].
    #[must_use]
    pub fn filter(mut self, word: &str, value: impl Serialize) -> Self {
        self.query = self.query.filter(word, value);
        self
    }

    /// The order of the rows: columns with commas, with `-` before those that go down. Where they
    /// are the same, and by default, the key decides.
    #[must_use]
    pub fn sort(mut self, columns: &str) -> Self {
        self.query = self.query.sort(columns);
        self
    }

    /// The rows behind those before: what [`Rows::next`] was.
    #[must_use]
    pub fn after(mut self, next: impl Into<String>) -> Self {
        self.query = self.query.after(next);
        self
    }

    /// At most so many rows, from 1 to 1,000; 100 by default.
    #[must_use]
    pub fn limit(mut self, most: usize) -> Self {
        self.query = self.query.limit(most);
        self
    }

    /// Also says how many rows there are in all.
    #[must_use]
    pub fn count(mut self) -> Self {
        self.query = self.query.count();
        self
    }

    /// Some rows, as was asked for.
    ///
    /// # Errors
    /// As for [`View::get`]; or there is no such column, or a value does not fit it.
    pub async fn rows(&self) -> Result<Rows<P::Row>, ReadError> {
        let state = self.state().await?;
        let core = &self.app.core;
        let found = match self.as_of {
            Some(moment) => {
                let at = core.position_of(moment).await?;
                core.past_rows(state, &self.query, at).await?
            }
            None => core.view_rows(state, &self.query).await?,
        };
        let row = |r: ViewRow| {
            Ok(ViewRow {
                key: r.key,
                row: typed(r.row)?,
                position: r.position,
                stale: r.stale,
            })
        };
        let rows = found.rows.into_iter().map(row);
        Ok(Rows {
            rows: rows.collect::<Result<_, ReadError>>()?,
            next: found.next,
            position: found.position,
            stale: found.stale,
            total: found.total,
        })
    }
}

fn typed<R: DeserializeOwned>(row: Value) -> Result<R, ReadError> {
    Ok(serde_json::from_value(row).map_err(StoreError::new)?)
}

impl App {
    /// A typed view.
    pub fn view<P: Projection>(&self) -> View<'_, P> {
        View {
            app: self,
            at_least: None,
            at_most: MAX_WAIT,
            as_of: None,
            query: RowsQuery::default(),
            projection: PhantomData,
        }
    }

    fn state(&self, name: &str) -> Result<&Arc<ViewState>, StoreError> {
        self.found(name).map_err(StoreError::new)
    }

    fn found(&self, name: &str) -> Result<&Arc<ViewState>, String> {
        self.core.view(name).ok_or_else(|| {
            let near = crate::runtime::nearest(name, self.core.views.keys());
            let near = near
                .map(|n| format!("; did you mean `{n}`?"))
                .unwrap_or_default();
            format!("there is no view `{name}`{near}")
        })
    }

    /// Whether there is a view of this name.
    pub fn has_view(&self, name: &str) -> bool {
        self.core.view(name).is_some()
    }

    /// The kind of thing that a view's rows are about.
    pub fn view_key(&self, name: &str) -> Option<&str> {
        self.core.view(name).map(|v| v.def.key_kind.as_str())
    }

    /// The views whose rows are about a kind of thing.
    pub fn views_about(&self, kind: &str) -> impl Iterator<Item = &str> {
        let about = self
            .core
            .views
            .values()
            .filter(move |v| v.def.key_kind == kind);
        about.map(|v| v.def.name.as_str())
    }

    /// One row of a view by name.
    ///
    /// # Errors
    /// There is no such view, or it cannot be read.
    pub async fn view_row(&self, name: &str, key: &str) -> Result<Option<ViewRow>, StoreError> {
        self.core.view_row(self.state(name)?, key).await
    }

    /// One row of a view as it was at a moment.
    ///
    /// # Errors
    /// There is no such view, or the log cannot be read.
    pub async fn view_row_as_of(
        &self,
        name: &str,
        key: &str,
        moment: AsOf,
    ) -> Result<Option<ViewRow>, StoreError> {
        let state = self.state(name)?;
        let at = self.core.position_of(moment).await?;
        self.core.past_row(state, key, at).await
    }

    /// Some rows of a view by name.
    ///
    /// # Errors
    /// There is no such view or column, a value does not fit, or it cannot be read.
    pub async fn view_rows(&self, name: &str, query: &RowsQuery) -> Result<Rows, ReadError> {
        let state = self.found(name).map_err(ReadError::NoView)?;
        self.core.view_rows(state, query).await
    }

    /// Some rows of a view as they were at a moment. All of history up to there is folded again,
    /// for each page.
    ///
    /// # Errors
    /// There is no such view or column, a value does not fit, or the log cannot be read.
    pub async fn view_rows_as_of(
        &self,
        name: &str,
        query: &RowsQuery,
        moment: AsOf,
    ) -> Result<Rows, ReadError> {
        let state = self.found(name).map_err(ReadError::NoView)?;
        let at = self.core.position_of(moment).await?;
        self.core.past_rows(state, query, at).await
    }

    /// Reads the tables of a projection that writes SQL itself; `{name}` stands for its table of
    /// that name. What it reads is of one moment only within one statement.
    ///
    /// # Errors
    /// There is no such view, or the query fails.
    pub fn read_sql<P: SqlProjection, T>(
        &self,
        read: impl FnOnce(&Sql<'_>) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        let state = self.state(P::NAME)?;
        Ok(self.core.read_sql(state, read)??)
    }

    /// The model of a decision as it was at a moment: what a command that was decided then would
    /// have looked at, folded by the code of today. It costs the events that concern it up to
    /// there; what is kept of models for decisions is not used.
    ///
    /// # Errors
    /// An event that concerns it cannot be read, or the log cannot.
    pub async fn model_as_of<B: Boundary>(
        &self,
        keys: &B::Keys,
        moment: impl Into<AsOf>,
    ) -> Result<B, ReadError> {
        let until = self.core.position_of(moment.into()).await?;
        let mut query = Query::default();
        B::query(keys, &mut query);
        let (mut model, mut after) = (B::empty(keys), 0);
        while after < until {
            let range = Range {
                before: Some(until + 1),
                ..Range::after(after, PAGE)
            };
            let events = self.core.store.read(&query, range).await?.events;
            for event in &events {
                model.absorb(keys, event)?;
            }
            match events.last() {
                Some(last) if events.len() >= PAGE => after = last.meta.position,
                _ => break,
            }
        }
        Ok(model)
    }

    /// What would change if the rebuilt generation that waits took the place of the one that
    /// serves; lists at most so many rows, and counts all.
    ///
    /// # Errors
    /// There is no such view, or nothing waits.
    pub async fn view_diff(&self, name: &str, limit: usize) -> Result<ViewDiff, ViewError> {
        self.core.view_diff(self.state(name)?, limit).await
    }

    /// What changed in a view between two moments, by the code of today, with the events that
    /// changed it; lists at most so many rows, and counts all. All of history up to the later
    /// moment is folded again.
    ///
    /// # Errors
    /// There is no such view, or the log cannot be read.
    pub async fn view_between(
        &self,
        name: &str,
        from: AsOf,
        to: AsOf,
        limit: usize,
    ) -> Result<ViewDiff, StoreError> {
        let state = self.state(name)?;
        let core = &self.core;
        let span = (core.position_of(from).await?, core.position_of(to).await?);
        core.view_between(state, span, limit).await
    }

    /// Waits until a view has come as far as a position; says whether it has.
    ///
    /// # Errors
    /// There is no such view.
    pub async fn wait_for_view(
        &self,
        name: &str,
        position: Position,
        at_most: Duration,
    ) -> Result<bool, StoreError> {
        let state = self.state(name)?;
        if state.is_live() {
            return Ok(true);
        }
        Ok(self
            .wait_until(at_most, || state.feed.at() >= position)
            .await)
    }

    /// How every view stands.
    ///
    /// # Errors
    /// The store or the views cannot be read.
    pub async fn views(&self) -> Result<Vec<ViewStatus>, StoreError> {
        let head = self.core.store.head().await?;
        self.core
            .views
            .values()
            .map(|v| self.core.view_status(v, head))
            .collect()
    }

    /// How one view stands.
    ///
    /// # Errors
    /// There is no such view, or it cannot be read.
    pub async fn view_status(&self, name: &str) -> Result<ViewStatus, StoreError> {
        let head = self.core.store.head().await?;
        self.core.view_status(self.state(name)?, head)
    }

    /// Asks something of a view, and waits until it is done; a rebuild, until it has begun:
    /// [`App::view_status`] tells how far it is.
    ///
    /// # Errors
    /// There is no such view, or it cannot be done as things are.
    pub async fn act_on_view(&self, name: &str, act: ViewAction) -> Result<ViewDone, ViewError> {
        self.core.act_on_view(self.state(name)?, act).await
    }
}
