//! The last bytes of a stream, in bounded memory.

/// The last bytes of a stream, and one more: the byte before the window, which assertions at the start of a match ask for.
#[derive(Debug)]
pub(super) struct Window {
    limit: usize,
    /// At most twice what is kept: the front is cut off only when as much again has come, so that each byte is moved once.
    bytes: Vec<u8>,
    /// Position of the first byte of `bytes` in the stream.
    front: u64,
}

/// What a window holds, for a look at it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contents<'a> {
    /// The bytes, the one before the window first where there is one.
    pub(super) bytes: &'a [u8],
    /// Where in `bytes` the window begins: 1 where there is a byte before it, else 0.
    pub(super) begin: usize,
    /// Position in the stream of the first of `bytes`.
    pub(super) front: u64,
}

impl Window {
    /// A window of the last `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, bytes: Vec::with_capacity(2 * (limit + 1)), front: 0 }
    }

    /// Takes what came.
    pub(super) fn append(&mut self, chunk: &[u8]) {
        let keep = self.limit + 1;
        if self.bytes.len() + chunk.len() > 2 * keep {
            let from_bytes = keep.saturating_sub(chunk.len());
            let cut = self.bytes.len().saturating_sub(from_bytes);
            self.bytes.drain(..cut);
            let skip = chunk.len().saturating_sub(keep);
            self.front += (cut + skip) as u64;
            self.bytes.extend_from_slice(&chunk[skip..]);
        } else {
            self.bytes.extend_from_slice(chunk);
        }
    }

    /// The window as it is now.
    pub(super) fn contents(&self) -> Contents<'_> {
        let cut = self.bytes.len().saturating_sub(self.limit + 1);
        Contents { bytes: &self.bytes[cut..], begin: usize::from(self.bytes.len() > self.limit), front: self.front + cut as u64 }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.front = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_the_last_bytes_whatever_the_cuts() {
        let stream: Vec<u8> = (0..=255).cycle().take(3000).collect();
        for limit in [0, 1, 7, 64] {
            for step in [1, 2, 3, 8, 50, 200, 1000] {
                let mut window = Window::new(limit);
                let room = window.bytes.capacity();
                let mut taken = 0;
                for chunk in stream.chunks(step) {
                    window.append(chunk);
                    taken += chunk.len();
                    let contents = window.contents();
                    let expected = &stream[taken.saturating_sub(limit + 1)..taken];
                    assert_eq!(contents.bytes, expected);
                    assert_eq!(contents.front, (taken - expected.len()) as u64);
                    assert_eq!(contents.bytes.len() - contents.begin, taken.min(limit), "limit {limit}, step {step}, taken {taken}");
                }
                assert_eq!(window.bytes.capacity(), room, "the room was enough from the start");
            }
        }
    }
}
