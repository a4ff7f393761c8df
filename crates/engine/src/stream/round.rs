//! Which streams and lanes trimming looks at next.
//!
//! What must stay true: a round costs one pass over the streams, in however many pieces it is done. There may be thousands, of dropped
//! tables too, and most have nothing to trim for hours. A lane that nothing is known of is looked at.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use stator_model::stream::StreamId;

use crate::catalog::Stream;
use crate::keyspace::stream_shard::Lane;

/// A lane that may have something to trim, or a whole stream that has to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    /// The stream.
    pub(super) stream: StreamId,
    /// The lane; none if the stream has to go.
    pub(super) lane: Option<Lane>,
}

/// What is known of the lanes, and what is left of a round.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    /// When the next record or shard of each lane of a stream is old enough to go, in ms since the epoch; 0 if that is not known.
    lanes: HashMap<StreamId, Box<[u64]>>,
    left: VecDeque<Due>,
}

impl Rounds {
    /// Begins a new round, in which every lane is looked at.
    pub(crate) fn forget(&mut self) {
        self.lanes.clear();
        self.left.clear();
    }

    /// Begins a new round if the last one has come to its end.
    pub(super) fn begin<'s>(&mut self, streams: impl Iterator<Item = &'s Arc<Stream>>, cutoff_ms: u64, now_ms: u64) {
        if !self.left.is_empty() {
            return;
        }
        for stream in streams {
            if stream.disabled_at_ms.is_some_and(|at_ms| at_ms <= cutoff_ms) {
                self.left.push_back(Due { stream: stream.id, lane: None });
                continue;
            }
            let known = self.lanes.get(&stream.id);
            let lanes = (0..stream.lanes)
                .filter(|lane| known.is_none_or(|lanes| lanes.get(usize::from(*lane)).is_none_or(|at_ms| now_ms >= *at_ms)));
            self.left.extend(lanes.map(|lane| Due { stream: stream.id, lane: Some(lane) }));
        }
    }

    /// The next one of this round. What comes of it is for the caller to note: until then it is due again in the next round.
    pub(super) fn take(&mut self) -> Option<Due> {
        self.left.pop_front()
    }

    /// Whether this round has not come to its end.
    pub(super) fn is_left(&self) -> bool {
        !self.left.is_empty()
    }

    /// There is more to trim than was done: it is for the end of this round.
    pub(super) fn put_back(&mut self, due: Due) {
        self.left.push_back(due);
    }

    /// Notes when a lane will have something to trim.
    pub(super) fn lane_is_due_at(&mut self, stream: &Stream, lane: Lane, due_ms: u64) {
        let lanes = self.lanes.entry(stream.id).or_insert_with(|| vec![0; usize::from(stream.lanes)].into());
        if let Some(at_ms) = lanes.get_mut(usize::from(lane)) {
            *at_ms = due_ms;
        }
    }

    /// Forgets the lanes of a stream that is gone.
    pub(super) fn forget_stream(&mut self, gone: StreamId) {
        self.lanes.remove(&gone);
    }
}

#[cfg(test)]
mod tests {
    use stator_model::arn::Scope;
    use stator_model::key::KeySchema;
    use stator_model::stream::StreamView;

    use super::*;

    fn stream(id: u64, disabled_at_ms: Option<u64>) -> Arc<Stream> {
        Arc::new(Stream {
            id: StreamId(id),
            scope: Scope { account: "000000000000".to_owned(), region: "us-east-1".to_owned() },
            table: format!("Tab{id}"),
            key: KeySchema { partition: Vec::new(), sort: Vec::new() },
            label: String::new(),
            view: StreamView::KeysOnly,
            lanes: 2,
            created_at_ms: 0,
            disabled_at_ms,
        })
    }

    /// Goes through a round at a moment; lanes that are looked at are due again at 500.
    fn round(rounds: &mut Rounds, streams: &[Arc<Stream>], now_ms: u64) -> Vec<(u64, Option<Lane>)> {
        let mut taken = Vec::new();
        rounds.begin(streams.iter(), 100, now_ms);
        while let Some(due) = rounds.take() {
            taken.push((due.stream.0, due.lane));
            match due.lane {
                Some(lane) => rounds.lane_is_due_at(&streams[usize::try_from(due.stream.0).unwrap()], lane, 500),
                None => rounds.forget_stream(due.stream),
            }
        }
        taken
    }

    #[test]
    fn each_lane_is_looked_at_once_until_it_is_due_again() {
        let (mut rounds, streams) = (Rounds::default(), [stream(0, None), stream(1, Some(101)), stream(2, Some(100))]);
        let all = [(0, Some(0)), (0, Some(1)), (1, Some(0)), (1, Some(1)), (2, None)];
        assert_eq!(round(&mut rounds, &streams, 200), all);
        assert_eq!(round(&mut rounds, &streams, 499), [(2, None)]);
        assert_eq!(round(&mut rounds, &streams, 500), all);
        rounds.forget();
        assert_eq!(round(&mut rounds, &streams, 200), all);
    }

    #[test]
    fn a_round_goes_on_where_it_was_left_and_ends_with_what_was_put_back() {
        let (mut rounds, streams) = (Rounds::default(), [stream(0, None)]);
        rounds.begin(streams.iter(), 100, 200);
        let first = rounds.take().unwrap();
        rounds.put_back(first);
        rounds.begin(streams.iter(), 100, 200);
        let rest = std::iter::from_fn(|| rounds.take()).map(|due| due.lane).collect::<Vec<_>>();
        assert_eq!(rest, [Some(1), Some(0)]);
        assert!(!rounds.is_left());
    }
}
