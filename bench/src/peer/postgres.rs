//! PostgreSQL on a local socket: one function call for each append, a pool of connections. A lock
//! that is held to the end of the transaction keeps positions in the order of commits, without
//! which neither a feed nor a condition would be safe.

use super::group::Bell;
use super::server::Server;
use super::{Append, Each, Fault, Mode, Outcome, Peer, Row};
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::ToSql;
use postgres::{Client, Config, NoTls, Statement};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS events (position bigint PRIMARY KEY, id uuid NOT NULL,
    type text NOT NULL, tags text[] NOT NULL, data bytea NOT NULL);
CREATE TABLE IF NOT EXISTS tags (tag text NOT NULL COLLATE \"C\", position bigint NOT NULL,
    PRIMARY KEY (tag, position));
CREATE OR REPLACE FUNCTION append(conditional boolean, one text, other text, behind bigint,
    ids uuid[], types text[], orders text[], customers text[], datas bytea[])
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE head bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(1);
    IF conditional AND EXISTS (SELECT 1 FROM tags a WHERE a.tag = one AND a.position > behind
        AND (other IS NULL OR EXISTS
            (SELECT 1 FROM tags b WHERE b.tag = other AND b.position = a.position))) THEN
        RETURN 0;
    END IF;
    SELECT coalesce((SELECT position FROM events ORDER BY position DESC LIMIT 1), 0) INTO head;
    INSERT INTO events SELECT head + n, id, type, ARRAY[o, c], data
        FROM unnest(ids, types, orders, customers, datas)
        WITH ORDINALITY AS e(id, type, o, c, data, n);
    INSERT INTO tags SELECT tag, head + n FROM unnest(orders, customers)
        WITH ORDINALITY AS e(o, c, n), LATERAL (VALUES (o), (c)) AS t(tag);
    RETURN head + cardinality(ids);
END $$;";

const APPEND: &str = "SELECT append($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const BEHIND: &str =
    "SELECT position, id, type, data FROM events WHERE position > $1 ORDER BY position";
const BY_ONE: &str = "
    SELECT e.position, e.id, e.type, e.data FROM tags a JOIN events e USING (position)
    WHERE a.tag = $2 AND a.position > $1 ORDER BY a.position";
const BY_TWO: &str = "
    SELECT e.position, e.id, e.type, e.data FROM tags a JOIN tags b USING (position)
    JOIN events e USING (position)
    WHERE a.tag = $2 AND b.tag = $3 AND a.position > $1 ORDER BY a.position";

/// A connection with what it has prepared.
struct Connection {
    client: Client,
    append: Statement,
    behind: Statement,
    by_one: Statement,
    by_two: Statement,
}

struct Postgres {
    socket: PathBuf,
    mode: Mode,
    free: Mutex<Vec<Connection>>,
    bell: Bell,
    /// Dropped last, when no connection is left.
    _server: Server,
}

pub(crate) fn open(folder: &Path, mode: Mode) -> Result<Box<dyn Peer>, Fault> {
    let server = Server::start(folder)?;
    connect(folder, mode)?.batch_execute(SCHEMA)?;
    let postgres = Postgres {
        socket: folder.to_owned(),
        mode,
        free: Mutex::default(),
        bell: Bell::default(),
        _server: server,
    };
    let head = postgres.with(|c| {
        let newest = "SELECT coalesce(max(position), 0) FROM events";
        Ok(c.client.query_one(newest, &[])?.get::<_, i64>(0))
    })?;
    postgres.bell.ring(u64::try_from(head)?);
    Ok(Box::new(postgres))
}

fn connect(socket: &Path, mode: Mode) -> Result<Client, Fault> {
    let mut config = Config::new();
    config.host_path(socket).user("bench").dbname("postgres");
    if mode == Mode::Load {
        config.options("-c synchronous_commit=off");
    }
    Ok(config.connect(NoTls)?)
}

impl Postgres {
    fn with<T>(&self, act: impl FnOnce(&mut Connection) -> Result<T, Fault>) -> Result<T, Fault> {
        let free = self.pool().pop();
        let mut connection = match free {
            Some(connection) => connection,
            None => self.connection()?,
        };
        let answer = act(&mut connection)?;
        self.pool().push(connection);
        Ok(answer)
    }

    fn connection(&self) -> Result<Connection, Fault> {
        let mut client = connect(&self.socket, self.mode)?;
        Ok(Connection {
            append: client.prepare(APPEND)?,
            behind: client.prepare(BEHIND)?,
            by_one: client.prepare(BY_ONE)?,
            by_two: client.prepare(BY_TWO)?,
            client,
        })
    }

    fn pool(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peer for Postgres {
    fn append_alone(&self, append: Append) -> Result<Outcome, Fault> {
        self.append(append)
    }

    fn append(&self, append: Append) -> Result<Outcome, Fault> {
        let condition = append.condition.as_ref();
        let tags = condition.map_or(&[][..], |c| c.tags.as_slice());
        let behind = i64::try_from(condition.map_or(0, |c| c.after))?;
        let ids: Vec<_> = append.events.iter().map(|e| e.id).collect();
        let types: Vec<_> = append.events.iter().map(|e| e.ty).collect();
        let orders: Vec<_> = append.events.iter().map(|e| &e.tags[0]).collect();
        let customers: Vec<_> = append.events.iter().map(|e| &e.tags[1]).collect();
        let datas: Vec<_> = append.events.iter().map(|e| e.data.as_slice()).collect();
        let (conditional, one, other) = (condition.is_some(), tags.first(), tags.get(1));
        let parameters: [&(dyn ToSql + Sync); 9] = [
            &conditional,
            &one,
            &other,
            &behind,
            &ids,
            &types,
            &orders,
            &customers,
            &datas,
        ];
        let last: i64 = self.with(|c| Ok(c.client.query_one(&c.append, &parameters)?.get(0)))?;
        if last == 0 {
            return Ok(Outcome::Conflict);
        }
        let last = u64::try_from(last)?;
        self.bell.ring(last);
        Ok(Outcome::At(last))
    }

    fn scan(&self, each: &mut dyn FnMut(u64, &[u8])) -> Result<(), Fault> {
        self.with(|c| {
            let all = "SELECT position, data FROM events ORDER BY position";
            let mut rows = c.client.query_raw(all, std::iter::empty::<i64>())?;
            while let Some(row) = rows.next()? {
                each(u64::try_from(row.get::<_, i64>(0))?, row.get(1));
            }
            Ok(())
        })
    }

    fn read(&self, tags: &[String], after: u64, each: Each<'_>) -> Result<u64, Fault> {
        // The head is asked for first: whatever matches behind it moves it, so nothing is missed.
        let mut head = self.bell.head();
        let after = i64::try_from(after)?;
        let rows = self.with(|c| {
            Ok(match tags {
                [] => c.client.query(&c.behind, &[&after])?,
                [one] => c.client.query(&c.by_one, &[&after, one])?,
                [one, other, ..] => c.client.query(&c.by_two, &[&after, one, other])?,
            })
        })?;
        for row in rows {
            let position = u64::try_from(row.get::<_, i64>(0))?;
            head = head.max(position);
            each(Row {
                position,
                id: row.get(1),
                ty: row.get(2),
                data: row.get(3),
            });
        }
        Ok(head)
    }

    fn wait(&self, after: u64) -> Result<u64, Fault> {
        Ok(self.bell.wait(after))
    }

    fn head(&self) -> Result<u64, Fault> {
        Ok(self.bell.head())
    }

    fn settle(&self) -> Result<(), Fault> {
        // Without it the planner does not know what was loaded, and reads by tag are slow.
        self.with(|c| {
            c.client.batch_execute("VACUUM ANALYZE")?;
            Ok(c.client.batch_execute("CHECKPOINT")?)
        })
    }

    fn table_bytes(&self) -> Result<Option<u64>, Fault> {
        let sizes = "SELECT pg_total_relation_size('events') + pg_total_relation_size('tags')";
        let bytes: i64 = self.with(|c| Ok(c.client.query_one(sizes, &[])?.get(0)))?;
        Ok(Some(u64::try_from(bytes)?))
    }

    fn close(self: Box<Self>) -> Result<(), Fault> {
        Ok(())
    }
}
