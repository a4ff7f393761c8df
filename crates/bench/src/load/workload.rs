//! Where requests come from.
//!
//! What must stay true: what is costly to make is made before the window, so that the generator takes as little of the
//! machine as it can; the order of requests is the same in each run.

use stator_driver::request::Caller;

/// A source of requests.
pub(crate) trait Workload {
    /// Writes the next request; `false` when there is none any more.
    fn write(&mut self, request: &mut Vec<u8>) -> bool;
}

/// Requests made and signed ahead, sent round and round.
pub(crate) struct Pool {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    at: usize,
}

impl Pool {
    /// Makes `count` requests.
    pub(crate) fn of(caller: &Caller, operation: &str, count: u64, body: impl Fn(&mut String, u64)) -> Pool {
        let (mut bytes, mut ends, mut text) = (Vec::new(), Vec::new(), String::new());
        for at in 0..count {
            text.clear();
            body(&mut text, at);
            caller.write(operation, text.as_bytes(), &mut bytes);
            ends.push(bytes.len());
        }
        Pool { bytes, ends, at: 0 }
    }
}

impl Workload for Pool {
    fn write(&mut self, request: &mut Vec<u8>) -> bool {
        let Some(end) = self.ends.get(self.at) else { return false };
        let start = if self.at == 0 { 0 } else { self.ends[self.at - 1] };
        request.extend_from_slice(&self.bytes[start..*end]);
        self.at = (self.at + 1) % self.ends.len();
        true
    }
}

/// Requests made when they are sent, each once: for loads, and where a request must not be repeated.
pub(crate) struct Each<'c, B> {
    caller: &'c Caller,
    operation: &'static str,
    next: u64,
    end: u64,
    text: String,
    body: B,
}

impl<'c, B: FnMut(&mut String, u64)> Each<'c, B> {
    /// Requests `from..end`.
    pub(crate) fn of(caller: &'c Caller, operation: &'static str, from: u64, end: u64, body: B) -> Each<'c, B> {
        Each { caller, operation, next: from, end, text: String::new(), body }
    }
}

impl<B: FnMut(&mut String, u64)> Workload for Each<'_, B> {
    fn write(&mut self, request: &mut Vec<u8>) -> bool {
        if self.next == self.end {
            return false;
        }
        self.text.clear();
        (self.body)(&mut self.text, self.next);
        self.caller.write(self.operation, self.text.as_bytes(), request);
        self.next += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(workload: &mut dyn Workload) -> Option<String> {
        let mut request = Vec::new();
        let is_written = workload.write(&mut request);
        is_written.then(|| String::from_utf8(request).unwrap().rsplit("\r\n").next().unwrap().to_owned())
    }

    #[test]
    fn a_pool_goes_round_and_each_comes_once() {
        let caller = Caller::to("127.0.0.1:1".parse().unwrap());
        let mut pool = Pool::of(&caller, "GetItem", 2, |text, at| text.push_str(&at.to_string()));
        let bodies: Vec<_> = (0..3).map(|_| written(&mut pool).unwrap()).collect();
        assert_eq!(bodies, ["0", "1", "0"]);
        let mut each = Each::of(&caller, "GetItem", 5, 7, |text: &mut String, at| text.push_str(&at.to_string()));
        assert_eq!([written(&mut each), written(&mut each), written(&mut each)], [Some("5".into()), Some("6".into()), None]);
    }
}
