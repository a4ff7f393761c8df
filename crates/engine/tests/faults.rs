//! The store fails at every commit of a history in turn, in every way that a store may fail; then the engine is opened
//! again and its books are read.
//!
//! ```text
//!   a history without faults ── what each step changes ──┐
//!                                                        ▼  for each kind of fault, for each n
//!   the same history, the n-th commit fails ── restart ── acknowledged is there, refused is not, unknown is whole or not
//!                                                         at all, entries, deadlines, records and counters agree
//! ```
//!
//! What must stay true: histories are the same in each run, so a number of a commit names one commit.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use stator_engine::catalog::Table;
use stator_engine::stream::StartAt;
use stator_engine::transact::{TransactError, Transacted};
use stator_engine::write::{Action, Intent, WriteError, Written};
use stator_engine::{Engine, EngineOptions, StoreError};
use stator_kv::wrap::{Call, Fault, Faulty};
use stator_kv::{MemoryStore, Store};
use stator_model::{Item, Number, Value};
use stator_testkit::definition::scope;
use stator_testkit::script::{create_request, parse_value};
use stator_testkit::target::{Call as ApiCall, InProcess, SetClock, Target, block_on};

const START_MS: u64 = 1_795_500_000_000;
const TABLE: &str = "Things pk:S sk:N; lsi byHeight height:N include:label; gsi byColour colour:S height:N all; gsi byLabel label:S keys";
/// Partition keys, and sort keys within each.
const KEYS: [(&str, i64); 8] = [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2), ("c", 1), ("c", -7), ("d", 0)];

type Id = (&'static str, i64);
/// What changes: the item that is there afterwards.
type Changes = BTreeMap<Id, Option<Item>>;

#[derive(Debug, Clone)]
enum Step {
    /// A change of the catalog: operation and body.
    Catalog(&'static str, &'static str),
    Write(Intent),
    Transact(Vec<Intent>),
    /// Time passes, and work in the background is done.
    Pass(u64),
}

/// What a step without faults came to.
#[derive(Debug, Default, Clone)]
struct Expected {
    changes: Changes,
    /// Records in the stream after the step.
    records: usize,
}

/// How a step came out.
#[derive(Debug, PartialEq)]
enum Outcome {
    Done(Changes),
    /// Nothing was written, by a rule or by a failure that says so.
    Refused,
    Unknown,
}

struct World {
    base: Arc<dyn Store>,
    faulty: Arc<Faulty>,
    clock: Arc<SetClock>,
    engine: Arc<Engine>,
}

fn key_of(id: Id) -> Item {
    [("pk", Value::S(id.0.to_owned())), ("sk", Value::N(Number::from(id.1)))].into_iter().collect()
}

fn id_of(item: &Item) -> Id {
    KEYS.into_iter().find(|id| key_of(*id).map().iter().all(|(name, value)| item.map().iter().any(|other| other == (name, value)))).unwrap()
}

fn id_of_intent(intent: &Intent) -> Id {
    match &intent.action {
        Action::Put(item) => id_of(item),
        Action::Update { key, .. } | Action::Delete { key } | Action::Expire { key } | Action::Check { key } => id_of(key),
    }
}

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn id(&mut self) -> Id {
        KEYS[usize::try_from(self.below(KEYS.len() as u64)).unwrap()]
    }

    fn item(&mut self) -> Item {
        let id = self.id();
        let number = |number: i64| Value::N(Number::from(number));
        let mut attributes = vec![("pk", Value::S(id.0.to_owned())), ("sk", number(id.1))];
        attributes.extend((self.below(4) > 0).then(|| ("height", number(self.below(4).cast_signed()))));
        attributes.extend((self.below(4) > 0).then(|| ("colour", Value::S(["x", "y"][usize::from(self.below(2) == 0)].to_owned()))));
        attributes.extend((self.below(3) > 0).then(|| ("label", Value::S("n".repeat(1 + usize::try_from(self.below(3)).unwrap())))));
        attributes.extend((self.below(3) == 0).then(|| ("due_s", number((START_MS / 1000 + self.below(12)).cast_signed()))));
        attributes.into_iter().collect()
    }

    fn intent(&mut self) -> Intent {
        let texts = ["ADD height :one", "REMOVE colour", "SET label = :label, colour = :label", "SET height = :one REMOVE label, due_s"];
        let action = match self.below(10) {
            0..5 => Action::Put(self.item()),
            5..8 => {
                let text = texts[usize::try_from(self.below(texts.len() as u64)).unwrap()];
                let values: Item = [(":one", Value::N(Number::from(1))), (":label", Value::S("changed".to_owned()))].into_iter().collect();
                let mut binder = stator_expr::Binder::new(None, Some(values)).unwrap();
                Action::Update { key: key_of(self.id()), update: stator_expr::update(text, &mut binder).unwrap() }
            }
            _ => Action::Delete { key: key_of(self.id()) },
        };
        let mut binder = stator_expr::Binder::empty();
        let condition = (self.below(5) == 0).then(|| stator_expr::condition("attribute_exists(height)", &mut binder).unwrap());
        Intent { action, condition }
    }

    fn transaction(&mut self) -> Step {
        let mut intents: Vec<Intent> = Vec::new();
        for _ in 0..2 + self.below(3) {
            let intent = self.intent();
            if intents.iter().all(|other| id_of_intent(other) != id_of_intent(&intent)) {
                intents.push(intent);
            }
        }
        Step::Transact(intents)
    }
}

fn history(seed: u64) -> Vec<Step> {
    let mut random = Random(seed);
    let mut steps = vec![
        Step::Catalog("CreateTable", TABLE),
        Step::Catalog("UpdateTable", "{TableName: Things StreamSpecification: {StreamEnabled: true StreamViewType: NEW_AND_OLD_IMAGES}}"),
        Step::Write(random.intent()),
        Step::Write(random.intent()),
        Step::Catalog("UpdateTimeToLive", "{TableName: Things TimeToLiveSpecification: {Enabled: true AttributeName: due_s}}"),
    ];
    for at in 0..32 {
        steps.push(match random.below(6) {
            0 => random.transaction(),
            1 => Step::Pass(1000 + 1000 * random.below(5)),
            _ => Step::Write(random.intent()),
        });
        if at == 16 {
            steps.push(Step::Catalog(
                "UpdateTable",
                "{TableName: Things AttributeDefinitions: [{AttributeName: colour AttributeType: S}]
                  GlobalSecondaryIndexUpdates: [{Create: {IndexName: late KeySchema: [{AttributeName: colour KeyType: HASH}]
                  Projection: {ProjectionType: ALL}}}]}",
            ));
        }
    }
    steps
}

impl World {
    fn new() -> World {
        let base: Arc<dyn Store> = Arc::new(MemoryStore::new());
        World::over(base, Arc::new(SetClock::at(START_MS)))
    }

    fn over(base: Arc<dyn Store>, clock: Arc<SetClock>) -> World {
        let faulty = Arc::new(Faulty::new(Arc::clone(&base)));
        let opened = block_on(Engine::open(Arc::clone(&faulty) as _, Arc::clone(&clock) as _, EngineOptions::default()));
        World { base, faulty, clock, engine: opened.unwrap() }
    }

    fn restart(&self) -> World {
        World::over(Arc::clone(&self.base), Arc::clone(&self.clock))
    }

    fn table(&self) -> Option<Arc<Table>> {
        self.engine.table(&scope(), "Things")
    }

    /// All items there are.
    fn items(&self) -> Changes {
        let Some(table) = self.table() else { return Changes::new() };
        let keys: Vec<_> = KEYS.into_iter().map(|id| (Arc::clone(&table), key_of(id))).collect();
        let found = block_on(self.engine.transact_get(&keys)).unwrap();
        KEYS.into_iter().zip(found).filter(|(_, (item, _))| item.is_some()).map(|(id, (item, _))| (id, item)).collect()
    }

    fn records(&self) -> usize {
        let mut count = 0;
        let streams: Vec<_> = self.engine.snapshot().streams().cloned().collect();
        for stream in streams {
            for shard in block_on(self.engine.shards(&stream)).unwrap() {
                let mut position = block_on(self.engine.stream_position(&stream, &shard, StartAt::Horizon)).ok();
                while let Some(at) = position {
                    let page = block_on(self.engine.stream_records(&at, 1000)).unwrap();
                    count += page.records.len();
                    position = page.next.filter(|_| !page.records.is_empty());
                }
            }
        }
        count
    }

    fn take(&self, step: &Step) -> Outcome {
        match step {
            Step::Catalog(operation, body) => self.change_catalog(operation, body),
            Step::Pass(ms) => {
                self.clock.advance(*ms);
                let before = self.items();
                let settled = block_on(self.engine.settled());
                let after = self.items();
                let gone = before.into_keys().filter(|id| !after.contains_key(id)).map(|id| (id, None));
                if settled.is_ok() { Outcome::Done(gone.collect()) } else { Outcome::Unknown }
            }
            Step::Write(intent) => {
                let Some(table) = self.table() else { return Outcome::Refused };
                match block_on(self.engine.write(&table, intent)) {
                    Ok(written) => Outcome::Done(BTreeMap::from([change(intent, written)])),
                    Err(WriteError::Unknown) => Outcome::Unknown,
                    Err(WriteError::Store(error)) => refused(&error),
                    Err(_) => Outcome::Refused,
                }
            }
            Step::Transact(intents) => {
                let Some(table) = self.table() else { return Outcome::Refused };
                let members: Vec<_> = intents.iter().map(|intent| (Arc::clone(&table), intent.clone())).collect();
                match block_on(self.engine.transact_write(&scope(), &members, None)) {
                    Ok(Transacted::Written(written)) => {
                        Outcome::Done(intents.iter().zip(written).map(|(intent, written)| change(intent, written)).collect())
                    }
                    Err(TransactError::Unknown) => Outcome::Unknown,
                    Err(TransactError::Store(error)) => refused(&error),
                    Ok(Transacted::Repeated(_)) => panic!("there is no token"),
                    Err(_) => Outcome::Refused,
                }
            }
        }
    }

    fn change_catalog(&self, operation: &str, body: &str) -> Outcome {
        let body = match operation {
            "CreateTable" => create_request(body).unwrap(),
            _ => parse_value(body, &BTreeMap::new()).unwrap(),
        };
        let call =
            ApiCall { region: scope().region, operation: operation.to_owned(), body: body.render().into_bytes(), headers: Vec::new() };
        let reply = InProcess::over(Arc::clone(&self.engine)).call(&call);
        match reply.status {
            200 => Outcome::Done(Changes::new()),
            500 => Outcome::Unknown,
            // The table that was to be changed was never made.
            _ => Outcome::Refused,
        }
    }

    fn is_sound(&self, why: &str) {
        let report = block_on(stator_engine::check::check(self.base.as_ref())).unwrap();
        assert_eq!(report.faults, [] as [String; 0], "{why}");
    }
}

fn change(intent: &Intent, written: Written) -> (Id, Option<Item>) {
    (id_of_intent(intent), written.new)
}

fn refused(error: &StoreError) -> Outcome {
    assert!(matches!(error, StoreError::ReadOnly(_) | StoreError::Io(_)), "{error:?}");
    Outcome::Refused
}

fn apply(items: &mut Changes, changes: &Changes) {
    for (id, item) in changes {
        match item {
            Some(_) => _ = items.insert(*id, item.clone()),
            None => _ = items.remove(id),
        }
    }
}

/// The history as it goes without faults; also how many commits there are.
fn rehearse(steps: &[Step]) -> (Vec<Expected>, u64) {
    let world = World::new();
    let (mut expected, mut items) = (Vec::new(), Changes::new());
    for step in steps {
        let before = items.clone();
        let changes = match world.take(step) {
            Outcome::Done(changes) => changes,
            Outcome::Refused if !matches!(step, Step::Catalog(..)) => Changes::new(),
            Outcome::Refused | Outcome::Unknown => panic!("{step:?} fails without a fault"),
        };
        apply(&mut items, &changes);
        assert_eq!(world.items(), items, "{step:?} on {before:?}");
        expected.push(Expected { changes, records: world.records() });
    }
    world.is_sound("without faults");
    (expected, world.faulty.count(Call::Commit))
}

/// Whether a state is the one before a step, or the one after it; expiry may have come half way.
fn is_whole(step: &Step, before: &Changes, changes: &Changes, found: &Changes) -> bool {
    let mut after = before.clone();
    apply(&mut after, changes);
    match step {
        Step::Pass(_) => KEYS.into_iter().all(|id| found.get(&id) == before.get(&id) || found.get(&id) == after.get(&id)),
        _ => found == before || *found == after,
    }
}

/// Runs a history of which the n-th commit fails so that nothing can be written afterwards.
fn run_until_stopped(steps: &[Step], expected: &[Expected], nth: u64, fault: Fault) {
    let why = format!("commit {nth} met {fault:?}");
    let world = World::new();
    world.faulty.order(Call::Commit, nth, fault);
    let mut items = Changes::new();
    let mut records = 0;
    let mut failed = None;
    for (step, expected) in steps.iter().zip(expected) {
        let outcome = world.take(step);
        if failed.is_none() && world.faulty.is_stopped() {
            assert!(!matches!(outcome, Outcome::Done(_)) || matches!(step, Step::Pass(_)), "{why}: {step:?} is acknowledged");
            failed = Some((step, &expected.changes, outcome == Outcome::Refused, records..=expected.records));
            continue;
        }
        match (outcome, &failed) {
            (Outcome::Done(changes), None) => {
                assert_eq!(changes, expected.changes, "{why}: {step:?}");
                apply(&mut items, &changes);
                records = expected.records;
            }
            (Outcome::Done(changes), Some(_)) => assert!(changes.is_empty(), "{why}: {step:?} is acknowledged afterwards"),
            (Outcome::Unknown, None) => panic!("{why}: {step:?} fails without a fault"),
            _ => {}
        }
    }
    let (step, changes, is_refused, records) = failed.unwrap_or_else(|| panic!("{why}: there is no such commit"));
    let restarted = world.restart();
    restarted.is_sound(&format!("{why}, after a restart"));
    let found = restarted.items();
    let changes = if is_refused { &Changes::new() } else { changes };
    assert!(is_whole(step, &items, changes, &found), "{why}: {step:?} was under way\n{items:?}\n{changes:?}\n{found:?}");
    let count = restarted.records();
    assert!(records.contains(&count), "{why}: {count} records, {records:?} expected");
    // Work that was owed is done now, and life goes on.
    block_on(restarted.engine.settled()).unwrap();
    restarted.is_sound(&format!("{why}, when all is settled"));
    if restarted.table().is_some() {
        let put = Random(nth).item();
        let outcome = restarted.take(&Step::Write(Intent { action: Action::Put(put.clone()), condition: None }));
        assert_eq!(outcome, Outcome::Done(BTreeMap::from([(id_of(&put), Some(put))])), "{why}");
        restarted.is_sound(&format!("{why}, one write later"));
    }
}

/// Runs a history of which the n-th commit fails alone; the rest goes on, and the books must follow.
fn run_across(steps: &[Step], expected: &[Expected], nth: u64, fault: Fault) {
    let why = format!("commit {nth} met {fault:?}");
    let mut world = World::new();
    world.faulty.order(Call::Commit, nth, fault);
    let mut items = Changes::new();
    for (step, expected) in steps.iter().zip(expected) {
        let was_met = world.faulty.count(Call::Commit) >= nth;
        let outcome = world.take(step);
        let is_met = !was_met && world.faulty.count(Call::Commit) >= nth;
        match outcome {
            Outcome::Done(changes) => apply(&mut items, &changes),
            Outcome::Refused => {}
            Outcome::Unknown => {
                assert!(is_met, "{why}: {step:?} fails without a fault");
                let found = world.items();
                assert!(is_whole(step, &items, &expected.changes, &found), "{why}: {step:?}\n{items:?}\n{found:?}");
                items = found;
            }
        }
        if is_met && matches!(step, Step::Catalog(..)) {
            // Whoever does not know the catalog any more has to look.
            world = world.restart();
            let _ = (world.table().is_none()).then(|| world.take(step));
        }
        assert_eq!(world.items(), items, "{why}: {step:?}");
    }
    block_on(world.engine.settled()).unwrap();
    world.is_sound(&why);
}

fn for_every_commit(faults: &[Fault], run: fn(&[Step], &[Expected], u64, Fault)) {
    for seed in [1, 2] {
        let steps = history(seed);
        let (expected, commits) = rehearse(&steps);
        assert!(commits > 30, "the history is too short to mean anything");
        for fault in faults {
            (1..=commits).for_each(|nth| run(&steps, &expected, nth, *fault));
        }
    }
}

#[test]
fn wherever_writing_stops_the_books_are_right_after_a_restart() {
    for_every_commit(&[Fault::Stopped, Fault::SyncFailed { kept: false }, Fault::SyncFailed { kept: true }], run_until_stopped);
}

#[test]
fn wherever_a_commit_is_refused_or_its_reply_is_lost_the_books_follow() {
    for_every_commit(&[Fault::Refused, Fault::ReplyLost, Fault::RequestLost], run_across);
}

/// Many callers at once, each with items of its own, until writing stops: all that each was told is there, and of what was
/// under way, all or nothing.
#[test]
fn what_many_callers_were_told_is_there_wherever_writing_stops() {
    const CALLERS: usize = 4;
    for (nth, kept) in (5..150).step_by(13).zip([false, true].into_iter().cycle()) {
        let world = World::new();
        history(1)[..2].iter().for_each(|step| assert!(matches!(world.take(step), Outcome::Done(_))));
        world.faulty.order(Call::Commit, nth, Fault::SyncFailed { kept });
        let told: Vec<(Changes, Option<Changes>)> = std::thread::scope(|scope| {
            let world = &world;
            let work = |caller: usize| move || work_until_stopped(world, &KEYS[2 * caller..2 * caller + 2], caller as u64);
            let callers: Vec<_> = (0..CALLERS).map(|caller| scope.spawn(work(caller))).collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        });
        let restarted = world.restart();
        restarted.is_sound(&format!("commit {nth} failed under many callers"));
        let found = restarted.items();
        for (caller, (items, unknown)) in told.into_iter().enumerate() {
            let own: Changes = found
                .iter()
                .filter(|(id, _)| KEYS[2 * caller..2 * caller + 2].contains(id))
                .map(|(id, item)| (*id, item.clone()))
                .collect();
            let mut after = items.clone();
            apply(&mut after, unknown.as_ref().unwrap_or(&Changes::new()));
            assert!(own == items || own == after, "commit {nth}, caller {caller}\n{items:?}\n{unknown:?}\n{own:?}");
        }
    }
}

/// Puts pairs of items by transactions and single ones by themselves; answers what was told, and what was left open.
fn work_until_stopped(world: &World, own: &[Id], seed: u64) -> (Changes, Option<Changes>) {
    let (mut random, mut items) = (Random(seed), Changes::new());
    let put = |id: Id, step: u64| -> Intent {
        let label = Value::S(format!("step {step}"));
        let own = [("pk", Value::S(id.0.to_owned())), ("sk", Value::N(Number::from(id.1)))];
        let item: Item = own.into_iter().chain([("label", label), ("height", Value::N(Number::from(1)))]).collect();
        Intent { action: Action::Put(item), condition: None }
    };
    for step in 0.. {
        let intents: Vec<Intent> = own[..=usize::from(random.below(2) == 0)].iter().map(|id| put(*id, step)).collect();
        let wanted: Changes = intents
            .iter()
            .map(|intent| (id_of_intent(intent), if let Action::Put(item) = &intent.action { Some(item.clone()) } else { None }))
            .collect();
        let taken = if let [one] = intents.as_slice() { Step::Write(one.clone()) } else { Step::Transact(intents) };
        match world.take(&taken) {
            Outcome::Done(changes) => apply(&mut items, &changes),
            Outcome::Unknown => return (items, Some(wanted)),
            Outcome::Refused => return (items, None),
        }
    }
    unreachable!("it stops some time")
}

/// The check of the books is what the tests above stand on: it has to see a commit that is there in part.
#[test]
fn a_torn_commit_is_seen_by_the_check() {
    let steps = history(1);
    let (_, commits) = rehearse(&steps);
    let mut seen = 0;
    for nth in 1..=commits {
        let world = World::new();
        world.faulty.order(Call::Commit, nth, Fault::Torn { writes: 1 });
        steps.iter().for_each(|step| _ = world.take(step));
        seen += u64::from(!block_on(stator_engine::check::check(world.base.as_ref())).unwrap().faults.is_empty());
    }
    assert!(seen > commits / 3, "{seen} of {commits} torn commits are seen");
}
