//! Reading HTTP/1.1 answers as they come, in any pieces.
//!
//! What must stay true: the end of an answer is found by its length or its last chunk, so that a connection can be used
//! again; a successful body is counted and not kept, because keeping it would be work of the load generator.

/// The head of an answer may have so many bytes.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// An answer that has come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status of the answer.
    pub status: u16,
    /// How long its body is.
    pub body_bytes: usize,
    /// The body, when it was to be kept or is that of an error.
    pub body: Vec<u8>,
}

/// What can not be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// An answer that is coming.
#[derive(Debug, Default)]
pub struct Incoming {
    keeps: bool,
    head: Vec<u8>,
    status: u16,
    body: Vec<u8>,
    body_bytes: usize,
    rest: Rest,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Rest {
    #[default]
    Head,
    Length(usize),
    /// Chunked: kept whole and looked at from its end.
    Chunks,
}

impl Incoming {
    /// Keeps bodies.
    pub fn keeping() -> Incoming {
        Incoming { keeps: true, ..Incoming::default() }
    }

    /// Takes what came; the answer when it has come to its end. Nothing may follow it, since nobody asked for more.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<Option<Reply>, Malformed> {
        if self.rest == Rest::Head {
            let Some(end) = self.take_head(bytes)? else { return Ok(None) };
            bytes = &bytes[end..];
        }
        match self.rest {
            Rest::Length(length) => {
                let left = length - self.body_bytes;
                if bytes.len() > left {
                    return Err(Malformed("more than the answer came"));
                }
                self.body_bytes += bytes.len();
                if self.keeps || self.status != 200 {
                    self.body.extend_from_slice(bytes);
                }
                Ok((self.body_bytes == length).then(|| self.finish()))
            }
            Rest::Chunks => {
                self.body.extend_from_slice(bytes);
                if !self.body.ends_with(b"0\r\n\r\n") {
                    return Ok(None);
                }
                self.body = unchunked(&self.body).ok_or(Malformed("broken chunks"))?;
                self.body_bytes = self.body.len();
                Ok(Some(self.finish()))
            }
            Rest::Head => Ok(None),
        }
    }

    /// Reads the head when it is whole; answers how many of the bytes belonged to it.
    fn take_head(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        let from = before.saturating_sub(3);
        let Some(found) = self.head[from..].windows(4).position(|window| window == b"\r\n\r\n") else {
            return if self.head.len() > HEAD_BYTES_MAX { Err(Malformed("an endless head")) } else { Ok(None) };
        };
        let end = from + found + 4;
        let head = std::str::from_utf8(&self.head[..end]).map_err(|_| Malformed("a head that is not text"))?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
        self.status = status.ok_or(Malformed("no status"))?;
        self.rest = Rest::Length(0);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                self.rest = Rest::Length(value.trim().parse().map_err(|_| Malformed("no length"))?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                self.rest = Rest::Chunks;
                break;
            }
        }
        Ok(Some(end - before))
    }

    fn finish(&mut self) -> Reply {
        let reply = Reply { status: self.status, body_bytes: self.body_bytes, body: std::mem::take(&mut self.body) };
        self.head.clear();
        self.body_bytes = 0;
        self.rest = Rest::Head;
        reply
    }
}

fn unchunked(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::with_capacity(bytes.len());
    loop {
        let line_end = bytes.windows(2).position(|window| window == b"\r\n")?;
        let line = std::str::from_utf8(&bytes[..line_end]).ok()?;
        let length = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        bytes = &bytes[line_end + 2..];
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(bytes.get(..length)?);
        bytes = bytes.get(length + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(pieces: &[&str]) -> Result<Option<Reply>, Malformed> {
        let mut incoming = Incoming::keeping();
        let mut last = Ok(None);
        for piece in pieces {
            last = incoming.feed(piece.as_bytes());
        }
        last
    }

    #[test]
    fn an_answer_is_found_in_any_pieces() {
        let whole = "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length: 5\r\n\r\nhello";
        for cut in 1..whole.len() {
            let reply = fed(&[&whole[..cut], &whole[cut..]]).unwrap().unwrap();
            assert_eq!((reply.status, reply.body_bytes, reply.body.as_slice()), (200, 5, b"hello".as_slice()), "cut at {cut}");
        }
    }

    #[test]
    fn chunks_are_put_together() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let reply = fed(&[head, "3\r\nabc\r\n", "2\r\nde\r\n0\r\n\r\n"]).unwrap().unwrap();
        assert_eq!(reply.body, b"abcde");
    }

    #[test]
    fn a_connection_is_good_for_the_next_answer() {
        let mut incoming = Incoming::default();
        for _ in 0..3 {
            let reply = incoming.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap().unwrap();
            assert_eq!((reply.body_bytes, reply.body.len()), (2, 0));
        }
        let reply = incoming.feed(b"HTTP/1.1 400 Bad\r\ncontent-length: 2\r\n\r\nno").unwrap().unwrap();
        assert_eq!((reply.status, reply.body.as_slice()), (400, b"no".as_slice()));
    }

    #[test]
    fn what_is_no_answer_is_said_to_be_none() {
        assert!(fed(&["SMTP\r\n\r\n"]).is_err());
        assert!(fed(&["HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab"]).is_err());
    }
}
