//! `upload`: `AT#UP` and an image, pulled by the device. **Installs firmware** where the device accepts it.
//!
//! `AT#UP` answers `0` and CR; right after it the device sends one signed byte n. n > 0: it wants the next n bytes; n = 0: it has all of it, right only
//! if everything was sent; n < 0: an error code. Asked past the end of the image, the host sends zero bytes (source: Easy Connect).

use super::boot::{self, Reply};
use crate::plan::units::show_duration;
use crate::plan::{Case, Handler, Trigger, Upload, UploadResult};
use crate::runner::conductor::Conductor;
use crate::runner::stop::{Finding, Stop};
use crate::timeline::event::{self, EndedBy};

/// What the device made of an image.
enum End {
    Accepted,
    Refused(String),
    /// A handler reset the board after so many bytes.
    BrokenOff(usize),
}

pub(super) fn run(conductor: &mut Conductor<'_>, case: &Case, upload: &Upload, handlers: &[Handler]) -> Result<(), Stop> {
    let Some(image) = case.images.get(&upload.image) else {
        return Err(Stop::Rig(Finding::new(
            format!("the plan has no image {}", upload.image),
            "every image that a step names to be in the plan",
            "none of that name",
            Vec::new(),
        )));
    };
    for (what, value) in [("", &image.file_name), (".sha256", &image.sha256)] {
        conductor.record(event::Property { name: format!("image.{}{what}", image.name), value: value.clone() })?;
    }
    let end = pull(conductor, &image.bytes, upload, handlers)?;
    match (upload.result, end) {
        (UploadResult::Accepted, End::Accepted) | (UploadResult::Refused, End::Refused(_)) => Ok(()),
        (UploadResult::Interrupted, End::BrokenOff(sent)) => {
            conductor.note(format!("the upload was broken off after {sent} of {} bytes", image.bytes.len())).map(drop)
        }
        (UploadResult::Interrupted, end) => {
            let seen = match end {
                End::Refused(how) => how,
                End::Accepted | End::BrokenOff(_) => "all of it taken, then 0: installed".to_owned(),
            };
            let reason = format!("the upload of {} ended before it was broken off", image.file_name);
            Err(Stop::Failed(Finding::new(reason, "a handler to break it off", seen, conductor.evidence()).by(EndedBy::Whole)))
        }
        (UploadResult::Accepted | UploadResult::Refused, End::BrokenOff(sent)) => Err(Stop::Failed(Finding::new(
            format!("the upload of {} was broken off", image.file_name),
            "an upload that nothing breaks off",
            format!("a reset after {sent} of {} bytes", image.bytes.len()),
            conductor.evidence(),
        ))),
        (UploadResult::Accepted, End::Refused(how)) => Err(Stop::Failed(Finding::new(
            format!("the device refused {}", image.file_name),
            format!("{} to be accepted", image.file_name),
            how,
            conductor.evidence(),
        ))),
        (UploadResult::Refused, End::Accepted) => Err(Stop::Failed(Finding::new(
            format!("the device accepted {}", image.file_name),
            format!("{} to be refused, by a negative byte or 40xx", image.file_name),
            "all of it taken, then 0: installed",
            conductor.evidence(),
        ))),
    }
}

fn pull(conductor: &mut Conductor<'_>, image: &[u8], upload: &Upload, handlers: &[Handler]) -> Result<End, Stop> {
    let started = conductor.now();
    let answer = boot::exchange(conductor, "AT#UP", upload.answer_within)?;
    match &answer.result {
        Reply::Success => {}
        Reply::Error(code) => return Ok(End::Refused(format!("AT#UP was answered by {code}"))),
        Reply::Application(_) | Reply::Silent { .. } => {
            let expected = format!("0 to AT#UP within {} a try", show_duration(upload.answer_within));
            return Err(Stop::Failed(Finding::new("AT#UP was not taken", expected, answer.describe(), answer.evidence)));
        }
    }
    let total = image.len() as u64;
    let deadline = started + upload.within;
    let mut sent = 0_usize;
    let mut block = [0_u8; 127];
    loop {
        let request_deadline = (conductor.wire_free() + upload.request_within).min(deadline);
        let request = match conductor.next_byte(request_deadline)? {
            _ if conductor.handler_has_reset() => return Ok(End::BrokenOff(sent.min(image.len()))),
            Some((byte, read)) if conductor.in_time(&read, request_deadline)? => Some(byte),
            _ => None,
        };
        let Some(byte) = request else {
            let all_sent = sent >= image.len();
            let sent = format!("{} of {total} bytes", sent.min(image.len()));
            let (reason, expected, seen) = if request_deadline == deadline {
                let within = show_duration(upload.within);
                (format!("the upload was not over within {within}"), format!("all of it asked for, and its end, within {within}"), sent)
            } else {
                let within = show_duration(upload.request_within);
                (
                    if all_sent {
                        format!("the device has all {total} bytes, and has not said what it makes of them")
                    } else {
                        format!("the device stopped asking after {sent}")
                    },
                    format!("a request, or the end of the upload, within {within}"),
                    "nothing".to_owned(),
                )
            };
            return Err(Stop::Failed(Finding::new(reason, expected, seen, conductor.evidence())));
        };
        let asked = byte.cast_signed();
        let seq = conductor.record(event::Request { asked, sent: sent.min(image.len()) as u64, total })?;
        if sent == 0 {
            conductor.sent_of_image(handlers, None, 0, total)?;
        }
        match usize::try_from(asked) {
            Ok(0) if sent >= image.len() => {
                // It may well restart without being asked to.
                conductor.may_restart(seq);
                return Ok(End::Accepted);
            }
            Ok(0) => {
                return Err(Stop::Failed(Finding::new(
                    format!("the device says that it has all of it after {sent} of {total} bytes"),
                    "0 only when everything was sent",
                    format!("0 after {sent} bytes"),
                    conductor.evidence(),
                )));
            }
            Ok(count) => {
                let rest = image.get(sent..).unwrap_or(&[]);
                let real = count.min(rest.len());
                block[..real].copy_from_slice(&rest[..real]);
                block[real..count].fill(0);
                conductor.show(&format!("upload {} of {total} bytes", sent.min(image.len())));
                let mut begin = 0;
                while begin < count && !conductor.handler_has_reset() {
                    // A handler of a byte in the block stands between what lies before that byte and what lies behind it.
                    let end = next_place(handlers, sent, total).map_or(count, |place| (begin + place - sent).min(count));
                    conductor.command(&block[begin..end])?;
                    let before = sent as u64;
                    sent += end - begin;
                    conductor.sent_of_image(handlers, Some(before), sent as u64, total)?;
                    begin = end;
                }
                if conductor.handler_has_reset() {
                    return Ok(End::BrokenOff(sent.min(image.len())));
                }
            }
            Err(_) => return Ok(End::Refused(format!("the byte {asked} after {} of {total} bytes", sent.min(image.len())))),
        }
    }
}

/// The number of bytes, more than `sent`, after which a handler is next.
fn next_place(handlers: &[Handler], sent: usize, total: u64) -> Option<usize> {
    let places = handlers.iter().filter_map(|handler| match handler.trigger {
        Trigger::Sent(place) => usize::try_from(place.count(total)).ok(),
        Trigger::Pattern(_) => None,
    });
    places.filter(|place| *place > sent).min()
}
