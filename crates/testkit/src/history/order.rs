//! Whether what callers saw can be put into one order, given what they did and when.
//!
//! Each write appends a mark of its own to the lists of some items, so the lists tell in which order writes took effect,
//! and what a read saw tells where among them it lies:
//!
//! ```text
//!   write → the next write in a list        write → whoever saw it        whoever did not see it yet → write
//!   a record of the stream → the next one   whatever had ended → whatever began afterwards
//! ```
//!
//! Such lists make the question cheap: the edges are proportional to what happened, where histories of registers would need
//! a search. What must stay true: all of that together has no circle (strict serializability, and for each item
//! linearizability); a mark that was acknowledged is in each of its lists once, one that was refused is in none, one whose
//! answer was lost is in all or none, and no caller sees half of a transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

/// What became of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fate {
    /// It was acknowledged.
    #[default]
    Done,
    /// It was refused.
    Refused,
    /// Its answer was lost.
    Unknown,
}

/// Something that was done: what it appended, or what it saw.
#[derive(Debug, Clone, Default)]
pub struct Event {
    /// A moment before it began.
    pub began: u64,
    /// A moment after it had ended, or could not happen any more.
    pub ended: u64,
    /// What it appended, if it is a write.
    pub mark: Option<u64>,
    /// Its items, with the lists that were seen there; a write sees its own mark as the last.
    pub items: BTreeMap<u64, Option<Vec<u64>>>,
    /// What became of it.
    pub fate: Fate,
}

/// What happened, and what is left of it.
#[derive(Debug, Clone, Copy)]
pub struct Course<'c> {
    /// What was done, in any order.
    pub events: &'c [Event],
    /// The list of each item in the end.
    pub last: &'c [Vec<u64>],
    /// Marks in the order in which the stream tells of them; empty where it is not looked at.
    pub told: &'c [u64],
}

/// Events first, then one node for each moment at which something ended.
struct Graph(Vec<Vec<usize>>);

/// Looks for an order.
///
/// # Errors
/// What cannot be put into one order.
pub fn judge(course: Course<'_>) -> Result<(), String> {
    let Course { events, last, told } = course;
    let writes: HashMap<u64, usize> = events.iter().enumerate().filter_map(|(at, event)| Some((event.mark?, at))).collect();
    for (item, list) in (0u64..).zip(last) {
        let distinct: HashSet<u64> = list.iter().copied().collect();
        if distinct.len() != list.len() {
            return Err(format!("a mark is in the list of item {item} twice: {list:?}"));
        }
        for mark in list {
            let is_its = writes.get(mark).is_some_and(|at| events[*at].items.contains_key(&item));
            if !is_its {
                return Err(format!("item {item} has mark {mark}, which nobody gave it"));
            }
        }
    }
    let lists: Vec<HashSet<u64>> = last.iter().map(|list| list.iter().copied().collect()).collect();
    events.iter().try_for_each(|event| effect(event, &lists, last))?;
    let mut graph = Graph(vec![Vec::new(); events.len()]);
    for list in last {
        list.windows(2).for_each(|pair| graph.edge(writes[&pair[0]], writes[&pair[1]]));
    }
    for (at, event) in events.iter().enumerate() {
        for (item, seen) in &event.items {
            let Some(seen) = seen else { continue };
            let list = list_of(last, *item);
            if !list.starts_with(seen) {
                return Err(format!("{seen:?} was seen in item {item}, which never was: {list:?}"));
            }
            if event.mark.is_none() {
                seen.last().into_iter().for_each(|newest| graph.edge(writes[newest], at));
                list.get(seen.len()).into_iter().for_each(|next| graph.edge(at, writes[next]));
            }
        }
    }
    for pair in told.windows(2) {
        let place = |mark: &u64| writes.get(mark).copied().ok_or_else(|| format!("the stream tells of mark {mark}, which nobody wrote"));
        graph.edge(place(&pair[0])?, place(&pair[1])?);
    }
    graph.add_time(events);
    graph.circle(events.len()).map_or(Ok(()), |circle| {
        let told: Vec<String> = circle.iter().map(|at| format!("{:?}", events[*at])).collect();
        Err(format!(
            "what was seen cannot be put into one order: each of these has to come before the next, and the last before the first:\n{}",
            told.join("\n")
        ))
    })
}

fn list_of(last: &[Vec<u64>], item: u64) -> &[u64] {
    usize::try_from(item).ok().and_then(|item| last.get(item)).map_or(&[], Vec::as_slice)
}

/// Whether a write is where it has to be, and nowhere else.
fn effect(event: &Event, lists: &[HashSet<u64>], last: &[Vec<u64>]) -> Result<(), String> {
    let Some(mark) = event.mark else { return Ok(()) };
    let is_in = |item: &u64| usize::try_from(*item).ok().and_then(|item| lists.get(item)).is_some_and(|list| list.contains(&mark));
    let count = event.items.keys().filter(|item| is_in(item)).count();
    let is_good = match event.fate {
        Fate::Done => count == event.items.len(),
        Fate::Refused => count == 0,
        Fate::Unknown => count == 0 || count == event.items.len(),
    };
    if !is_good {
        let lists: Vec<String> = event.items.keys().map(|item| format!("item {item}: {:?}", list_of(last, *item))).collect();
        return Err(format!("mark {mark} is in {count} of {} lists: {event:?}\n{}", event.items.len(), lists.join("\n")));
    }
    match event.items.iter().find(|(_, seen)| seen.as_ref().is_some_and(|seen| seen.last() != Some(&mark))) {
        Some((item, seen)) => Err(format!("mark {mark} was written to item {item}, and right afterwards {seen:?} was there")),
        None => Ok(()),
    }
}

impl Graph {
    fn edge(&mut self, from: usize, to: usize) {
        if from != to {
            self.0[from].push(to);
        }
    }

    /// Whatever had ended comes before whatever began afterwards, by way of moments that follow one another.
    fn add_time(&mut self, events: &[Event]) {
        let mut ends: Vec<u64> = events.iter().map(|event| event.ended).collect();
        ends.sort_unstable();
        ends.dedup();
        let first = self.0.len();
        self.0.extend((0..ends.len()).map(|at| if at + 1 < ends.len() { vec![first + at + 1] } else { Vec::new() }));
        for (at, event) in events.iter().enumerate() {
            let end = ends.partition_point(|end| *end < event.ended);
            self.edge(at, first + end);
            let before = ends.partition_point(|end| *end < event.began);
            if before > 0 {
                self.edge(first + before - 1, at);
            }
        }
    }

    /// Events of a circle, if there is one: takes away, again and again, whatever nothing precedes.
    fn circle(&self, events: usize) -> Option<Vec<usize>> {
        let mut before = vec![0usize; self.0.len()];
        self.0.iter().flatten().for_each(|at| before[*at] += 1);
        let mut free: Vec<usize> = (0..self.0.len()).filter(|at| before[*at] == 0).collect();
        let mut is_taken = vec![false; self.0.len()];
        while let Some(at) = free.pop() {
            is_taken[at] = true;
            for next in &self.0[at] {
                before[*next] -= 1;
                if before[*next] == 0 {
                    free.push(*next);
                }
            }
        }
        // Everything that is left has something before it that is left too: going back comes to a circle.
        let mut earlier = vec![None; self.0.len()];
        for (at, later) in self.0.iter().enumerate().filter(|(at, _)| !is_taken[*at]) {
            later.iter().filter(|next| !is_taken[**next]).for_each(|next| earlier[*next] = Some(at));
        }
        let mut at = (0..self.0.len()).find(|at| !is_taken[*at])?;
        let mut path = Vec::new();
        let mut met = HashSet::new();
        while met.insert(at) {
            path.push(at);
            at = earlier[at]?;
        }
        let begin = path.iter().position(|node| *node == at).unwrap_or(0);
        Some(path[begin..].iter().rev().copied().filter(|node| *node < events).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Course, Event, Fate, judge};

    fn write(mark: u64, items: &[u64], began: u64, ended: u64) -> Event {
        Event { began, ended, mark: Some(mark), items: items.iter().map(|item| (*item, None)).collect(), fate: Fate::Done }
    }

    fn read(seen: &[(u64, &[u64])], began: u64, ended: u64) -> Event {
        Event { began, ended, items: seen.iter().map(|(item, list)| (*item, Some(list.to_vec()))).collect(), ..Event::default() }
    }

    fn judged(events: &[Event], lists: [&[u64]; 2], told: &[u64]) -> Result<(), String> {
        judge(Course { events, last: &lists.map(<[u64]>::to_vec), told })
    }

    #[test]
    fn what_has_an_order_is_accepted_and_what_has_none_is_not() {
        let judged = |more: Event, lists: [&[u64]; 2]| judged(&[write(1, &[0, 1], 1, 10), write(2, &[0, 1], 2, 11), more], lists, &[]);
        assert_eq!(judged(read(&[(0, &[1]), (1, &[1])], 3, 9), [&[1, 2], &[1, 2]]), Ok(()));
        assert!(judged(read(&[], 3, 9), [&[1, 2], &[2, 1]]).is_err(), "two orders of one pair");
        assert!(judged(read(&[(0, &[1]), (1, &[])], 3, 9), [&[1, 2], &[1, 2]]).is_err(), "half of a transaction");
        assert!(judged(read(&[(0, &[2])], 3, 9), [&[1, 2], &[1, 2]]).is_err(), "a list that never was");
        assert!(judged(read(&[(0, &[1])], 12, 13), [&[1, 2], &[1, 2]]).is_err(), "older than what had ended");
        assert!(judged(read(&[], 3, 9), [&[1, 2], &[1]]).is_err(), "an acknowledged mark is lost");
        assert!(judged(read(&[], 3, 9), [&[1, 2, 1], &[1, 2]]).is_err(), "a mark is there twice");
        assert!(judged(read(&[], 3, 9), [&[1, 2, 3], &[1, 2]]).is_err(), "a mark that nobody wrote");
    }

    #[test]
    fn a_write_whose_answer_was_lost_is_there_wholly_or_not_at_all_and_in_its_time() {
        let lost = |ended| Event { fate: Fate::Unknown, ..write(1, &[0, 1], 1, ended) };
        let later = write(2, &[0], 20, 30);
        assert_eq!(judged(&[lost(10), later.clone()], [&[2], &[]], &[]), Ok(()));
        assert_eq!(judged(&[lost(10), later.clone()], [&[1, 2], &[1]], &[]), Ok(()));
        assert!(judged(&[lost(10), later.clone()], [&[1, 2], &[]], &[]).is_err(), "half of it");
        assert!(judged(&[lost(10), later.clone()], [&[2, 1], &[1]], &[]).is_err(), "after the process had ended");
        assert_eq!(judged(&[lost(25), later], [&[2, 1], &[1]], &[]), Ok(()), "it was sent again");
    }

    #[test]
    fn a_refused_write_is_nowhere_and_a_stream_tells_in_the_order_of_writes() {
        let refused = Event { fate: Fate::Refused, ..write(1, &[0], 1, 2) };
        assert!(judged(std::slice::from_ref(&refused), [&[1], &[]], &[]).is_err());
        assert_eq!(judged(&[refused], [&[], &[]], &[]), Ok(()));
        let (first, second) = (write(1, &[0], 1, 2), write(2, &[1], 3, 4));
        assert_eq!(judged(&[first.clone(), second.clone()], [&[1], &[2]], &[1, 2]), Ok(()));
        let circle = judged(&[first, second], [&[1], &[2]], &[2, 1]).unwrap_err();
        assert!(circle.contains("mark: Some(1)") && circle.contains("mark: Some(2)"), "{circle}");
    }

    #[test]
    fn what_a_write_sees_ends_with_its_own_mark() {
        let seeing = |seen: &[u64]| Event { items: [(0, Some(seen.to_vec()))].into(), ..write(2, &[0], 3, 4) };
        let first = write(1, &[0], 1, 2);
        assert_eq!(judged(&[first.clone(), seeing(&[1, 2])], [&[1, 2], &[]], &[]), Ok(()));
        assert!(judged(&[first.clone(), seeing(&[1])], [&[1, 2], &[]], &[]).is_err());
        assert!(judged(&[first, seeing(&[2])], [&[1, 2], &[]], &[]).is_err());
    }
}
