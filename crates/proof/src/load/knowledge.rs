//! What a client knows: of every place it owns, the state that was acknowledged last, and what it sent when the server died.
//!
//! What must stay true: a client sends one request at a time, so at most one is unknown; nobody else writes to its places.

use serde_json::Value;

use super::item::{self, PLACES, State};

/// What a client knows of one place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// As of the last acknowledged write.
    pub(crate) state: State,
    /// Every state since the stream was last compared, in order.
    pub(crate) history: Vec<State>,
    /// Numbers of writes whose fate was not known, since then.
    pub(crate) maybe: Vec<u64>,
}

/// A request whose fate is not known.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    /// Places, and their states if it took effect.
    pub(crate) writes: Vec<(u64, State)>,
    /// All of it or nothing; otherwise each for itself.
    pub(crate) is_whole: bool,
    /// The body of a transaction with a token, to be sent once more.
    pub(crate) again: Option<Value>,
}

/// What a client knows.
#[derive(Debug, Clone)]
pub(crate) struct Knowledge {
    pub(crate) owner: u64,
    pub(crate) places: Vec<Place>,
    pub(crate) pending: Option<Pending>,
    /// A transaction whose answer was lost, with what it writes: to be sent once more.
    pub(crate) again: Option<(Value, Vec<(u64, State)>)>,
    next_number: u64,
}

impl Knowledge {
    pub(crate) fn of(owner: u64) -> Knowledge {
        let places = (0..PLACES).map(|_| Place::default()).collect();
        Knowledge { owner, places, pending: None, again: None, next_number: 1 }
    }

    /// A number that no write has had.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    pub(crate) fn state(&self, place: u64) -> State {
        self.at(place).state
    }

    pub(crate) fn at(&self, place: u64) -> &Place {
        &self.places[index(place)]
    }

    /// A write of this place was acknowledged, or is found to have happened.
    pub(crate) fn learn(&mut self, place: u64, state: State) {
        let known = &mut self.places[index(place)];
        // A deletion of what is not there leaves no trace.
        if known.state != state {
            known.history.push(state);
        }
        known.state = state;
    }

    /// The pending request was acknowledged.
    pub(crate) fn acknowledge(&mut self) {
        if let Some(pending) = self.pending.take() {
            pending.writes.into_iter().for_each(|(place, state)| self.learn(place, state));
        }
    }

    /// Compares what was found in all places with what is known; what is found is known from then on.
    pub(crate) fn settle(&mut self, found: &[State]) -> Result<(), String> {
        let pending = self.pending.take();
        let writes = pending.as_ref().map_or(&[][..], |pending| &pending.writes);
        let sent = |place| writes.iter().find(|(sent, _)| *sent == place).map(|(_, state)| *state);
        for (place, state) in (0_u64..).zip(found.iter().copied()) {
            let is_known = is_or_expired(place, self.state(place), state);
            if !is_known && !sent(place).is_some_and(|sent| is_or_expired(place, sent, state)) {
                return Err(self.told(place, state, sent(place)));
            }
        }
        let shows = |is_new: bool| writes.iter().all(|(place, new)| found[index(*place)] == if is_new { *new } else { self.state(*place) });
        if pending.as_ref().is_some_and(|pending| pending.is_whole) && !shows(true) && !shows(false) {
            let parts: Vec<String> = writes.iter().map(|(place, state)| self.told(*place, found[index(*place)], Some(*state))).collect();
            return Err(format!("a transaction is there in part: {}", parts.join("; ")));
        }
        for (place, state) in writes {
            self.places[index(*place)].maybe.extend(*state);
        }
        self.again = pending.and_then(|pending| pending.again.map(|body| (body, pending.writes)));
        for (place, state) in (0_u64..).zip(found.iter().copied()) {
            self.learn(place, state);
        }
        Ok(())
    }

    fn told(&self, place: u64, found: State, sent: Option<State>) -> String {
        let sent = sent.map_or("none".to_owned(), said);
        let (owner, acknowledged) = (self.owner, said(self.state(place)));
        format!("client {owner}, place {place}: found {}, acknowledged was {acknowledged}, under way was {sent}", said(found))
    }
}

fn index(place: u64) -> usize {
    usize::try_from(place).expect("places are few")
}

fn said(state: State) -> String {
    state.map_or("no item".to_owned(), |number| format!("number {number}"))
}

/// Whether a known state may show as this one.
fn is_or_expired(place: u64, known: State, found: State) -> bool {
    found == known || (found.is_none() && known.is_some_and(|number| item::is_due(place, number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(states: &[(u64, State)]) -> Vec<State> {
        let mut found = vec![None; index(PLACES)];
        states.iter().for_each(|(place, state)| found[index(*place)] = *state);
        found
    }

    fn knowing(pending: &[(u64, State)], is_whole: bool) -> Knowledge {
        let mut knowledge = Knowledge::of(1);
        knowledge.learn(0, Some(10));
        knowledge.learn(1, Some(11));
        knowledge.pending = Some(Pending { writes: pending.to_vec(), is_whole, again: None });
        knowledge
    }

    #[test]
    fn what_was_acknowledged_has_to_be_there_and_nothing_else() {
        assert!(knowing(&[], false).settle(&found(&[(0, Some(10)), (1, Some(11))])).is_ok());
        assert!(knowing(&[], false).settle(&found(&[(0, Some(10))])).is_err());
        assert!(knowing(&[], false).settle(&found(&[(0, Some(10)), (1, Some(11)), (2, Some(9))])).is_err());
    }

    #[test]
    fn what_was_under_way_is_there_or_not_and_a_transaction_as_a_whole() {
        let sent = [(0, Some(20)), (1, None)];
        let (old, new, part) = ([(0, Some(10)), (1, Some(11))], [(0, Some(20))], [(0, Some(20)), (1, Some(11))]);
        for (is_whole, states, is_good) in
            [(true, &old[..], true), (true, &new, true), (true, &part, false), (false, &part, true), (false, &[(0, Some(30))], false)]
        {
            assert_eq!(knowing(&sent, is_whole).settle(&found(states)).is_ok(), is_good, "{is_whole} {states:?}");
        }
    }

    #[test]
    fn only_what_is_due_may_go_by_itself() {
        let place = item::INDEXED_PLACES;
        let mut knowledge = Knowledge::of(1);
        knowledge.learn(place, Some(8));
        assert!(knowledge.settle(&found(&[])).is_ok());
        knowledge.learn(place, Some(9));
        assert!(knowledge.settle(&found(&[])).is_err());
    }
}
