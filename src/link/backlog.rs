//! What a host that does not read has not taken yet.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::LinkError;

/// What is kept for a host that does not read, beyond what the kernel holds (some 64 KiB). A real UART would lose it at once.
const LIMIT: usize = 1 << 20;

/// Bytes that wait for the kernel to take them; beyond 1 MiB the oldest are lost and counted.
#[derive(Debug)]
pub(super) struct Backlog {
    bytes: VecDeque<u8>,
    lost: Arc<AtomicU64>,
}

impl Backlog {
    pub(super) fn new(lost: Arc<AtomicU64>) -> Self {
        Self { bytes: VecDeque::new(), lost }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Writes `bytes` behind what waits already, by `write_once`, which says how many it took: 0 when no more fit.
    pub(super) fn write(&mut self, bytes: &[u8], write_once: impl Fn(&[u8]) -> Result<usize, LinkError>) -> Result<(), LinkError> {
        if !self.bytes.is_empty() {
            self.bytes.extend(bytes);
            while !self.bytes.is_empty() {
                let written = write_once(self.bytes.as_slices().0)?;
                if written == 0 {
                    break;
                }
                self.bytes.drain(..written);
            }
        } else {
            let mut rest = bytes;
            while !rest.is_empty() {
                let written = write_once(rest)?;
                if written == 0 {
                    break;
                }
                rest = &rest[written..];
            }
            self.bytes.extend(rest);
        }
        let excess = self.bytes.len().saturating_sub(LIMIT);
        if excess > 0 {
            self.bytes.drain(..excess);
            self.lost.fetch_add(excess as u64, Ordering::Relaxed);
        }
        Ok(())
    }
}
