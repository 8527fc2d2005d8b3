//! An upload as the device sees it: it pulls the image piece by piece and judges it.
//!
//! Source: Easy Connect. The device sends one signed byte n: 1 to 127 asks for the next n bytes, 0 says that it has all of the image, a negative one is an error
//! code. Asked past the end of the image, the host sends zero bytes.

use super::boot::Parts;
use super::random::Random;
use super::settings::{Chunks, Settings, VersionCheck};
use crate::image::{Header, Image, ImageError, Versions};

/// An image that says it is larger than this is taken for none: no module has more flash.
const LARGEST: u64 = 16 << 20;

/// Sizes of requests that are control characters for terminals and line disciplines: end of text and of file, backspace, LF, CR, XON, XOFF, SUB, ESC, FS, DEL.
const CONTROL: [u8; 11] = [3, 4, 8, 10, 13, 17, 19, 26, 27, 28, 127];

/// An upload that is going on.
#[derive(Debug)]
pub(super) struct Upload {
    received: Vec<u8>,
    header: Option<Header>,
    /// Bytes that were asked for and have not come.
    awaited: usize,
    /// Requests that the host has answered.
    answered: u64,
    /// What is to be said instead of the next request.
    ending: Option<i8>,
    random: Random,
}

/// What the device does after a piece of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It waits for more bytes of this piece.
    Wait,
    /// It asks for the next piece, or says how it ended.
    Go,
    /// It has all of it and checks.
    Check,
    /// Nothing ever again: a fault.
    Stall,
}

impl Upload {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { received: Vec::new(), header: None, awaited: 0, answered: 0, ending: None, random: Random::new(settings.seed, "upload") }
    }

    /// Bytes that were asked for and have not come.
    pub(super) fn awaited(&self) -> usize {
        self.awaited
    }

    /// The signed byte that the device sends now, as asked for by [`Next::Go`] and [`Next::Check`]. The upload is over when it is not above 0.
    pub(super) fn say(&mut self, parts: &mut Parts<'_>) -> i8 {
        let settings = parts.settings;
        if let Some(ending) = self.ending {
            return ending;
        }
        let total = self.header.map(|header| header.image_len());
        let got = self.received.len() as u64;
        if total.is_some_and(|total| got >= total) {
            return self.end(parts);
        }
        let size = match settings.chunks {
            Chunks::Largest => settings.largest_chunk,
            Chunks::Any => u8::try_from(self.random.between(1, settings.largest_chunk.into())).unwrap_or(1),
            Chunks::ControlCharacters => {
                let fitting: Vec<u8> = CONTROL.into_iter().filter(|size| *size <= settings.largest_chunk).collect();
                let index = self.random.between(0, (fitting.len() as u64).saturating_sub(1));
                usize::try_from(index).ok().and_then(|index| fitting.get(index)).copied().unwrap_or(1)
            }
        };
        // Until the header is there, it says where the header ends and not where the image does.
        let left = total.unwrap_or(Header::LEN as u64).saturating_sub(got);
        if settings.asks_past_end && u64::from(size) > left {
            parts.note_if_put_in("asks-past-end");
        }
        let size = if settings.asks_past_end { size } else { u8::try_from(left.min(size.into())).unwrap_or(size) };
        self.awaited = size.into();
        size.cast_signed()
    }

    /// Takes a byte that the host sent.
    pub(super) fn take(&mut self, byte: u8, parts: &mut Parts<'_>) -> Next {
        let settings = parts.settings;
        let Some(left) = self.awaited.checked_sub(1) else {
            // Not asked for: lost.
            return Next::Wait;
        };
        self.awaited = left;
        self.received.push(byte);
        if left > 0 {
            return Next::Wait;
        }
        self.answered += 1;
        let is_whole = self.header.is_some_and(|header| self.received.len() as u64 >= header.image_len());
        if settings.upload_stalls && self.answered >= settings.upload_stalls_after.into() {
            parts.log.note("upload-stalls");
            return Next::Stall;
        }
        if settings.upload_ends_early && self.answered >= settings.upload_ends_early_after.into() && !is_whole {
            parts.log.note("upload-ends-early");
            self.ending = Some(0);
            return Next::Go;
        }
        if self.header.is_none() && self.received.len() >= Header::LEN {
            match Header::parse(&self.received) {
                Ok(header) if header.image_len() <= LARGEST => {
                    self.header = Some(header);
                    if settings.version_check == VersionCheck::Header
                        && let Err(code) = judge(&header, parts, true)
                    {
                        self.ending = Some(refuse(code, parts));
                        return Next::Go;
                    }
                }
                Ok(_) | Err(_) => {
                    self.ending = Some(refuse(settings.code_corrupt, parts));
                    return Next::Go;
                }
            }
        }
        match self.header {
            Some(header) if self.received.len() as u64 >= header.image_len() => Next::Check,
            _ => Next::Go,
        }
    }

    /// Judges the whole image and installs it, or not.
    fn end(&mut self, parts: &mut Parts<'_>) -> i8 {
        let settings = parts.settings;
        let Some(header) = self.header else { return settings.code_corrupt };
        // Zero bytes that were asked for past the end.
        self.received.truncate(usize::try_from(header.image_len()).unwrap_or(usize::MAX));
        let sound = match Image::parse(&self.received) {
            Ok(_) => true,
            Err(ImageError::Checksum { .. }) if settings.accepts_corrupt => {
                parts.log.note("accepts-corrupt");
                true
            }
            Err(_) => false,
        };
        let is_first_check = settings.version_check == VersionCheck::End;
        let verdict = if sound { judge(&header, parts, is_first_check) } else { Err(settings.code_corrupt) };
        let memory = &mut *parts.memory;
        match verdict {
            Ok(()) => {
                if std::mem::take(&mut memory.interrupted) && settings.interruption_erases {
                    memory.application_dead = None;
                }
                if !settings.keeps_old_version {
                    memory.versions = header.versions;
                } else if memory.versions != header.versions {
                    parts.log.note("keeps-old-version");
                }
                0
            }
            Err(code) => refuse(code, parts),
        }
    }
}

/// Whether an image of this header may be installed; else the byte that refuses it. Source: the post (only the same version or a higher one installs).
///
/// An image may be judged twice; what a fault does to its judgement is noted at the first time.
fn judge(header: &Header, parts: &mut Parts<'_>, is_first: bool) -> Result<(), i8> {
    let (settings, memory, log) = (parts.settings, &mut *parts.memory, parts.log);
    let note = |fault| {
        if is_first {
            log.note(fault);
        }
    };
    if header.key != settings.key {
        if !settings.accepts_wrong_key {
            return Err(settings.code_wrong_key);
        }
        note("accepts-wrong-key");
    }
    let parts_of = |versions: &Versions| [versions.a, versions.m, versions.s];
    let (offered, installed) = (parts_of(&header.versions), parts_of(&memory.versions));
    let lower = offered.iter().zip(&installed).any(|(offered, installed)| offered < installed);
    let refused = match (lower, offered == installed) {
        (true, _) => !settings.accepts_downgrade,
        (false, true) => settings.refuses_same_version,
        (false, false) => settings.refuses_upgrade,
    };
    match (lower, offered == installed, refused) {
        (true, _, false) => note("accepts-downgrade"),
        (false, true, true) => note("refuses-same-version"),
        (false, false, true) => note(refuses_upgrade(settings)),
        _ => {}
    }
    if !refused {
        return Ok(());
    }
    if lower && settings.loses_version {
        memory.versions = header.versions;
        log.note("loses-version");
    }
    Err(settings.code_lower_version)
}

/// The fault by which a higher version is refused.
fn refuses_upgrade(settings: &Settings) -> &'static str {
    match settings.version_check {
        VersionCheck::Header => "refuses-at-header",
        VersionCheck::End => "refuses-at-end",
    }
}

fn refuse(code: i8, parts: &mut Parts<'_>) -> i8 {
    if parts.settings.dead_after_refusal && parts.memory.application_dead.is_none() {
        parts.memory.application_dead = Some("dead-after-refusal");
        parts.log.note("dead-after-refusal");
    }
    code
}
