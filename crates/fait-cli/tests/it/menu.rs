//! What guests order, counted beside the restaurant: the code of the guide to feeds.

use fait::app::{App, FeedError};
use fait::checkpoint::{Checkpoint, CheckpointError};
use restaurant::events::OrderPlaced;
use rusqlite::Connection;

/// Tells the baker of each cake.
pub(crate) async fn tell_the_baker(app: &App, mut bake: impl FnMut(&str)) -> Result<(), FeedError> {
    let mut feed = app.feed_of::<OrderPlaced>().named("baker").open().await?;
    while let Some(mut batch) = feed.next().await? {
        if let Some(unreadable) = batch.unreadable() {
            bake(&format!("no idea what: {}", unreadable.error));
            batch.set_aside("the baker was told").await?;
        }
        for placed in batch.events() {
            let cakes = placed.event.dishes.iter().filter(|dish| *dish == "cake");
            cakes.for_each(|cake| bake(cake));
        }
        batch.done().await?;
    }
    Ok(())
}

const DISHES: &str =
    "CREATE TABLE IF NOT EXISTS dishes (dish TEXT PRIMARY KEY, ordered INTEGER NOT NULL)";
const COUNT: &str = "INSERT INTO dishes VALUES (?1, 1)
    ON CONFLICT (dish) DO UPDATE SET ordered = ordered + 1";

/// Counts dishes in a database of its own.
pub(crate) async fn count(app: &App, db: &mut Connection) -> Result<(), CountError> {
    db.execute(DISHES, [])?;
    let checkpoint = Checkpoint::open(db, "menu", app.store_id(), 0)?;
    let feed = app.feed_of::<OrderPlaced>().checkpoint(checkpoint);
    let mut feed = feed.open().await?;
    while let Some(mut batch) = feed.next_now().await? {
        let step = batch.step()?;
        let tx = db.transaction()?;
        for placed in batch.events() {
            for dish in &placed.event.dishes {
                tx.execute(COUNT, [dish])?;
            }
        }
        step.advance(&tx)?;
        tx.commit()?;
        batch.done().await?;
    }
    Ok(())
}

/// Why dishes could not be counted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CountError {
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}
