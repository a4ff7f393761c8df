//! The engine: a store, the catalog's snapshot, and a clock.
//!
//! What must stay true: everything else in this crate is a function of these three and of its arguments.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::{ArcSwap, Guard};
use stator_kv::{Level, Range, Store, StoreError, Visit};
use stator_model::arn::Scope;
use stator_model::stream::StreamId;
use stator_model::table::TableId;

use crate::catalog::definition::{self, DefinitionUnreadable};
use crate::catalog::{Snapshot, Stream, Table, Transition};
use crate::clock::{Clock, Forward};
use crate::encoding::stored::{self, Unreadable};
use crate::jobs::Upkeep;
use crate::keyspace;
use crate::transact::Holds;
use crate::ttl::Rounds;
use crate::write::Writers;
use crate::write::room::Weights;

/// What an operator may set.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// How long a table shows CREATING, UPDATING or DELETING; zero takes effect at once.
    pub table_transition_ms: u64,
    /// Answers consistent reads of global indexes instead of refusing them (an extension: they are consistent here).
    pub consistent_global_reads: bool,
    /// How long a shard of a stream stays open, in ms.
    pub stream_shard_ms: u64,
    /// Bytes of records after which it closes earlier.
    pub stream_shard_bytes: u64,
    /// Bytes that the items of one partition key and their local index entries may weigh.
    pub item_collection_bytes_max: u64,
}

impl Default for EngineOptions {
    /// Everything takes effect at once; shards close after four hours and collections end at 10 GB, as the service's do.
    fn default() -> EngineOptions {
        EngineOptions {
            table_transition_ms: 0,
            consistent_global_reads: false,
            stream_shard_ms: 4 * 60 * 60 * 1000,
            stream_shard_bytes: 1 << 30,
            item_collection_bytes_max: 10 << 30,
        }
    }
}

/// Why a store cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenError {
    /// The store failed.
    Store(StoreError),
    /// A table's row is not of a known format.
    Row(TableId, Unreadable),
    /// A table's definition cannot be understood.
    Definition(TableId, DefinitionUnreadable),
    /// A stream's row cannot be understood.
    Stream(StreamId),
    /// A row of the catalog has a key that none has.
    Key(Vec<u8>),
}

/// Tables and items over a store.
pub struct Engine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: EngineOptions,
    pub(crate) snapshot: ArcSwap<Snapshot>,
    /// Held by the verbs that change the catalog, across their commit, so that they follow one another.
    pub(crate) catalog_turn: async_lock::Mutex<()>,
    /// Held by background work, so that two who drive it follow one another.
    pub(crate) jobs_turn: async_lock::Mutex<()>,
    /// How long tables take to be made, changed and dropped.
    pub(crate) transition: Transition,
    /// Items and tokens of the transactions that are under way.
    pub(crate) holds: Holds,
    /// Those who are deciding on items and committing what they decided.
    pub(crate) writers: Writers,
    /// What tables weigh whose item collections are counted.
    pub(crate) weights: Weights,
    /// Whether there may be jobs to run; true at start, because a crash may have left some.
    pub(crate) jobs_owed: AtomicBool,
    pub(crate) upkeep: Upkeep,
    pub(crate) rounds: Rounds,
    /// The latest time of a token.
    pub(crate) token_time: Forward,
}

impl Engine {
    /// Opens a store: reads all definitions.
    pub async fn open(store: Arc<dyn Store>, clock: Arc<dyn Clock>, options: EngineOptions) -> Result<Arc<Engine>, OpenError> {
        let snapshot = load(store.as_ref()).await?;
        let token_time = Forward::default();
        token_time.after(newest_token_ms(store.as_ref()).await?);
        let transition = Transition::of_ms(options.table_transition_ms);
        Ok(Arc::new(Engine {
            store,
            clock,
            options,
            snapshot: ArcSwap::from_pointee(snapshot),
            catalog_turn: async_lock::Mutex::new(()),
            jobs_turn: async_lock::Mutex::new(()),
            transition,
            holds: Holds::default(),
            writers: Writers::default(),
            weights: Weights::default(),
            jobs_owed: AtomicBool::new(true),
            upkeep: Upkeep::default(),
            rounds: Rounds::default(),
            token_time,
        }))
    }

    /// Lets `replace` exchange the rows of the store for others, and goes on with what they say. Whoever calls sees to it
    /// that no request is under way; background work waits.
    pub async fn reload(&self, replace: impl FnOnce()) -> Result<(), OpenError> {
        let _jobs = self.jobs_turn.lock().await;
        let _turn = self.catalog_turn.lock().await;
        replace();
        self.snapshot.store(Arc::new(load(self.store.as_ref()).await?));
        self.token_time.forget();
        self.weights.forget();
        self.upkeep.make_due();
        self.wake_jobs();
        Ok(())
    }

    /// All tables now.
    pub fn snapshot(&self) -> Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// The table of a name, if it has one that can be read and written.
    pub fn table(&self, scope: &Scope, name: &str) -> Option<Arc<Table>> {
        let snapshot = self.snapshot.load();
        let table = snapshot.table(scope, name)?;
        table.is_usable(self.now_ms()).then(|| Arc::clone(table))
    }

    /// Milliseconds since the epoch.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// The time by which things are old: not by which the clock was set ahead.
    pub(crate) fn expiry_ms(&self) -> u64 {
        self.now_ms().min(self.clock.steady_ms())
    }

    /// The time by which tokens count, which has passed and was not set. It goes on where the last process was, at least.
    pub(crate) fn token_ms(&self) -> u64 {
        self.token_time.after(self.clock.steady_ms())
    }

    /// What an operator has set.
    pub fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// The store below.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Rows and bytes that a counter shows.
    pub(crate) async fn counts(&self, table: &Table) -> Result<Vec<(u64, u64)>, StoreError> {
        let indexes = table.indexes.iter().map(|index| Some(index.id));
        let keys: Vec<_> = std::iter::once(None).chain(indexes).map(|index| keyspace::counter::key(table.id, index)).collect();
        let found = self.store.read(&keys, Level::Strong).await?;
        let count = |found: Option<stator_kv::Found>| found.and_then(|row| keyspace::counter::decode(&row.value)).unwrap_or((0, 0));
        Ok(found.into_iter().map(count).map(|(rows, bytes)| (rows.max(0).unsigned_abs(), bytes.max(0).unsigned_abs())).collect())
    }
}

pub(crate) async fn load(store: &dyn Store) -> Result<Snapshot, OpenError> {
    let mut snapshot = Snapshot::default();
    for (key, value) in rows(store, &keyspace::stream::all()).await? {
        let id = keyspace::stream::parse(&key).ok_or(OpenError::Key(key))?;
        let members = stored::validate(&value).map_err(|_| OpenError::Stream(id))?;
        let stream = Stream::decode(id, members).map_err(|_| OpenError::Stream(id))?;
        snapshot = snapshot.with_stream(Arc::new(stream));
    }
    for (key, value) in rows(store, &keyspace::table::all()).await? {
        let id = keyspace::table::parse(&key).ok_or(OpenError::Key(key))?;
        let members = stored::validate(&value).map_err(|fault| OpenError::Row(id, fault))?;
        let stream_of = |stream| snapshot.stream(stream).cloned();
        let table = definition::decode(id, members, &stream_of).map_err(|fault| OpenError::Definition(id, fault))?;
        snapshot = snapshot.with(Arc::new(table));
    }
    Ok(snapshot)
}

/// A time not after that of the newest token: the clock may have been set back while nothing ran.
async fn newest_token_ms(store: &dyn Store) -> Result<u64, OpenError> {
    let mut newest_ms = 0;
    store
        .scan(&keyspace::transaction_token::newest(), &mut |row| {
            newest_ms = keyspace::transaction_token::decode(row.value).map_or(0, |(_, at_ms)| at_ms);
            Visit::Stop
        })
        .await
        .map_err(OpenError::Store)?;
    Ok(newest_ms)
}

async fn rows(store: &dyn Store, range: &Range) -> Result<Vec<(Vec<u8>, Vec<u8>)>, OpenError> {
    let mut rows = Vec::new();
    store
        .scan(range, &mut |row| {
            rows.push((row.key.to_vec(), row.value.to_vec()));
            Visit::Next
        })
        .await
        .map_err(OpenError::Store)?;
    Ok(rows)
}
