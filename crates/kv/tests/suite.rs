//! The contract on the memory store and on everything that wraps it, and whether the contract's tests notice when it is broken.

#![allow(clippy::disallowed_methods, reason = "the runner of these tests is not the product")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use stator_kv::suite::{FAULTS, PROMISES, Promise, block_on};
use stator_kv::wrap::{Call, Fault, Faulty, Mirror, Trace};
use stator_kv::{Decision, Key, Level, MemoryStore, Profile, Space, Store, Write};

type Open = fn() -> Arc<dyn Store>;

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

const BACKENDS: [(&str, Open); 4] = [
    ("memory", memory),
    ("faulty", || Arc::new(Faulty::new(memory()))),
    ("trace", || Arc::new(Trace::new(memory()))),
    ("mirror", || Arc::new(Mirror::new(memory(), shifted()))),
];

fn write(store: &Arc<dyn Store>, writes: &[Write]) {
    block_on(store.mutate(&[], &mut |_| Decision::Commit(writes.to_vec()))).unwrap_or_else(|error| panic!("{error:?}"));
}

/// A memory store whose versions are others than those of a new one.
fn shifted() -> Arc<dyn Store> {
    let store = memory();
    (0..5).for_each(|_| write(&store, &[]));
    store
}

/// Stores that break the contract in one way, and a promise that has to notice.
const BROKEN: [(&str, Fault, &str); 3] = [
    ("tears", Fault::Torn { writes: 1 }, "commit::takes_effect_whole"),
    ("forgets", Fault::Forgotten, "read::sees_what_was_acknowledged"),
    ("repeats_nothing", Fault::RequestLost, "mutate::loses_no_update"),
];

/// Whether something ends without a panic.
fn passes(run: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(run)).is_ok()
}

fn notices(promise: &Promise, fault: Fault) -> Result<(), Failed> {
    let faulty = Arc::new(Faulty::new(memory()));
    faulty.order_always(Call::Commit, fault);
    if passes(|| promise.keep(faulty)) {
        Err(format!("{} passes on a store that meets {fault:?} each time", promise.name).into())
    } else {
        Ok(())
    }
}

/// Two stores of which one has a row more.
fn mirror_differs() -> Result<(), Failed> {
    let key = Key::new(Space { id: 1, profile: Profile::Rows }, b"a", b"");
    let right = memory();
    write(&right, &[Write::Put(key.clone(), b"1".to_vec().into())]);
    let mirror = Mirror::new(memory(), right);
    if passes(|| _ = block_on(mirror.read(&[key], Level::Strong))) { Err("a mirror of unlike stores is content".into()) } else { Ok(()) }
}

fn main() -> ExitCode {
    // Broken promises are told by the runner; those that have to break are nobody's business.
    std::panic::set_hook(Box::new(|_| {}));
    let mut trials = Vec::new();
    for (backend, open) in BACKENDS {
        for promise in PROMISES {
            trials.push(Trial::test(format!("{backend}::{}", promise.name), move || {
                promise.keep(open());
                Ok(())
            }));
        }
    }
    for promise in FAULTS {
        trials.push(Trial::test(format!("memory::{}", promise.name), move || {
            promise.keep(memory());
            Ok(())
        }));
    }
    for (name, fault, promise) in BROKEN {
        let promise = PROMISES.iter().find(|known| known.name == promise).unwrap_or_else(|| panic!("there is no promise {promise}"));
        trials.push(Trial::test(format!("a_store_that_{name}_is_noticed"), move || notices(promise, fault)));
    }
    trials.push(Trial::test("a_mirror_of_unlike_stores_is_noticed", mirror_differs));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
