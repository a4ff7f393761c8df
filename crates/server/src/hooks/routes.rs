//! Every path that there is, what it does, and who answers it: the one list that dispatch, hints and `GET /_stator/` read.
//!
//! What must stay true: a path that is not here does not exist.

use serde::Serialize;
use stator_api::BoxFuture;

use super::call::{Call, Nothing, ok};
use super::problem::Problem;
use super::{Answer, Hooks, PREFIX, clock, faults, lag, requests, reset, snapshots, tables, upkeep};

type Handled<'h> = BoxFuture<'h, Result<Answer, Problem>>;
type Handler = for<'h> fn(&'h Hooks, &'h Call<'h>) -> Handled<'h>;

/// What is answered without waiting.
fn now<'h>(answer: Result<Answer, Problem>) -> Handled<'h> {
    Box::pin(std::future::ready(answer))
}

struct Route {
    method: &'static str,
    /// Behind the prefix; a segment in braces stands for any.
    path: &'static str,
    does: &'static str,
    /// A body that it takes.
    example: &'static str,
    handler: Handler,
}

const fn route(method: &'static str, path: &'static str, does: &'static str, example: &'static str, handler: Handler) -> Route {
    Route { method, path, does, example, handler }
}

const ROUTES: [Route; 26] = [
    route("GET", "/", "lists what there is", "", |_, _| now(list())),
    route("POST", "/reset", "brings everything back to how it was at the start; snapshots stay", "", |hooks, call| {
        Box::pin(reset::reset(hooks, call))
    }),
    route("GET", "/clock", "tells the time", "", |hooks, call| now(clock::read(hooks, call))),
    route("PUT", "/clock", "sets the time, stops it or lets it go on", r#"{"now":"2030-01-31T12:00:00Z","frozen":true}"#, |hooks, call| {
        Box::pin(clock::set(hooks, call))
    }),
    route("POST", "/clock/advance", "moves the time on", r#"{"by":"25h"}"#, |hooks, call| Box::pin(clock::advance(hooks, call))),
    route("DELETE", "/clock", "goes back to the real time", "", |hooks, call| Box::pin(clock::reset(hooks, call))),
    route("GET", "/faults", "lists the faults", "", |hooks, call| now(faults::list(hooks, call))),
    route(
        "POST",
        "/faults",
        "makes matching requests fail, wait, break off or come back in part",
        r#"{"match":{"operation":"UpdateItem","table":"Music"},"times":2,"exception":"ProvisionedThroughputExceededException"}"#,
        |hooks, call| now(faults::add(hooks, call)),
    ),
    route("DELETE", "/faults", "clears all faults", "", |hooks, call| now(faults::clear(hooks, call))),
    route("GET", "/faults/{id}", "tells of one fault", "", |hooks, call| now(faults::read(hooks, call))),
    route("DELETE", "/faults/{id}", "clears one fault", "", |hooks, call| now(faults::remove(hooks, call))),
    route(
        "GET",
        "/requests",
        "lists the last requests, oldest first; ?operation=, ?table=, ?after= and ?limit= narrow it",
        "",
        |hooks, call| now(requests::list(hooks, call)),
    ),
    route("DELETE", "/requests", "forgets the requests so far", "", |hooks, call| now(requests::clear(hooks, call))),
    route("GET", "/snapshots", "lists the snapshots", "", |hooks, call| now(snapshots::list(hooks, call))),
    route("PUT", "/snapshots/{name}", "saves all data under a name", "", |hooks, call| Box::pin(snapshots::save(hooks, call))),
    route("POST", "/snapshots/{name}/restore", "brings all data back to what was saved", "", |hooks, call| {
        Box::pin(snapshots::restore(hooks, call))
    }),
    route("DELETE", "/snapshots/{name}", "forgets a snapshot", "", |hooks, call| now(snapshots::remove(hooks, call))),
    route("DELETE", "/data", "removes all data at once", "", |hooks, call| Box::pin(snapshots::empty(hooks, call))),
    route("GET", "/table-states", "tells how long tables take to change, and which are changing", "", |hooks, call| {
        now(tables::read(hooks, call))
    }),
    route(
        "PUT",
        "/table-states",
        "sets how long tables stay CREATING, UPDATING and DELETING",
        r#"{"transition":"held"}"#,
        |hooks, call| now(tables::set(hooks, call)),
    ),
    route("POST", "/table-states/release", "lets tables arrive, all or one", r#"{"table":"Music"}"#, |hooks, call| {
        Box::pin(tables::release(hooks, call))
    }),
    route("GET", "/index-lag", "tells how far global and vector indexes lag behind", "", |hooks, call| Box::pin(lag::read(hooks, call))),
    route("PUT", "/index-lag", "sets how far global and vector indexes lag behind", r#"{"lag":"5s"}"#, |hooks, call| {
        Box::pin(lag::set(hooks, call))
    }),
    route("POST", "/index-lag/release", "lets global and vector indexes catch up once", "", |hooks, call| {
        Box::pin(lag::release(hooks, call))
    }),
    route("POST", "/ttl/sweep", "removes items whose time has come", "", |hooks, call| Box::pin(upkeep::sweep(hooks, call))),
    route("POST", "/streams/trim", "removes records of streams that are older than a day", "", |hooks, call| {
        Box::pin(upkeep::trim(hooks, call))
    }),
];

/// Finds the route of a call and lets it answer.
pub(super) async fn dispatch(hooks: &Hooks, method: &str, path: &str, query: Option<&str>, body: &[u8]) -> Result<Answer, Problem> {
    let rest = path.strip_prefix(PREFIX).unwrap_or(path);
    let of_path: Vec<(&Route, &str)> = ROUTES.iter().filter_map(|route| Some((route, matched(route.path, rest)?))).collect();
    if of_path.is_empty() {
        return Err(Problem::not_found(format!("there is nothing at {path}"), format!("GET {PREFIX}/ lists what there is")));
    }
    let Some((route, parameter)) = of_path.iter().find(|(route, _)| route.method == method) else {
        let allowed: Vec<&str> = of_path.iter().map(|(route, _)| route.method).collect();
        return Err(Problem::method(method, path, &allowed.join(", ")));
    };
    let call = Call { parameter, query, body, example: route.example };
    if route.example.is_empty() {
        call.input::<Nothing>()?;
    }
    (route.handler)(hooks, &call).await
}

/// Whether a path is that of a route; what stands for the segment in braces, empty if it has none.
fn matched<'p>(route: &str, path: &'p str) -> Option<&'p str> {
    let segments = |text: &'p str| text.split('/').filter(|segment| !segment.is_empty());
    let (mut given, mut parameter) = (segments(path), "");
    for wanted in route.split('/').filter(|segment| !segment.is_empty()) {
        let segment = given.next()?;
        if wanted.starts_with('{') {
            parameter = segment;
        } else if wanted != segment {
            return None;
        }
    }
    given.next().is_none().then_some(parameter)
}

#[derive(Serialize)]
struct List {
    about: &'static str,
    version: &'static str,
    routes: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    method: &'static str,
    path: String,
    does: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<serde_json::Value>,
}

fn list() -> Result<Answer, Problem> {
    let listed = |route: &Route| Listed {
        method: route.method,
        path: format!("{PREFIX}{}", route.path),
        does: route.does,
        example: serde_json::from_str(route.example).ok(),
    };
    let about = "what a test may do to this server; see docs/guides/testing.md";
    ok(&List { about, version: env!("CARGO_PKG_VERSION"), routes: ROUTES.iter().map(listed).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_segment_by_segment() {
        assert_eq!(matched("/", ""), Some(""));
        assert_eq!(matched("/clock", "/clock/"), Some(""));
        assert_eq!(matched("/snapshots/{name}", "/snapshots/a"), Some("a"));
        assert_eq!(matched("/snapshots/{name}", "/snapshots"), None);
        assert_eq!(matched("/snapshots/{name}", "/snapshots/a/restore"), None);
    }

    #[test]
    fn examples_are_json_and_no_route_is_listed_twice() {
        for (at, route) in ROUTES.iter().enumerate() {
            assert!(route.example.is_empty() || serde_json::from_str::<serde_json::Value>(route.example).is_ok(), "{}", route.example);
            assert!(!ROUTES[..at].iter().any(|other| (other.method, other.path) == (route.method, route.path)), "{}", route.path);
        }
    }
}
