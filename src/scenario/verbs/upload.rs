//! `upload`: an image that the device pulls.

use std::time::Duration;

use super::Steps;
use crate::document::{Cursor, Short, known};
use crate::plan::{Action, PlannedImage, Step, Upload, UploadResult};
use crate::scenario::file::UploadMap;

/// How long `AT#UP` may take to answer (Easy Connect: 300 ms for any boot command).
const ANSWER_WITHIN: Duration = Duration::from_millis(300);
/// How long one request of an upload may take: long enough for an erase of the flash.
const REQUEST_WITHIN: Duration = Duration::from_secs(10);
/// How long an upload may take.
const UPLOAD_WITHIN: Duration = Duration::from_secs(600);

/// What the device can do with an image.
pub(in crate::scenario) const UPLOAD_RESULTS: &[(&str, UploadResult)] =
    &[("accepted", UploadResult::Accepted), ("refused", UploadResult::Refused), ("interrupted", UploadResult::Interrupted)];

impl Steps<'_, '_> {
    pub(super) fn upload(&mut self, map: &UploadMap, at: Cursor<'_>) -> Option<Upload> {
        let place = at.get("image");
        let image = match &map.image {
            Short::Scalar(text) => self.reader.value(place, text, |name| Ok(name.to_owned())).and_then(|name| self.named(place, &name)),
            Short::Map(image) => {
                let name = format!("made in line {}", place.line());
                self.made.image(&name, image, place, self.images, self.reader)
            }
            Short::Nothing => self.needs(place, "image: newer"),
        };
        let result = map
            .result
            .as_ref()
            .map_or(Some(UploadResult::Accepted), |text| self.reader.word(at.get("result"), text, "a result of an upload", UPLOAD_RESULTS));
        let answer_within = self.duration_or(at, "answer-within", map.answer_within.as_ref(), ANSWER_WITHIN);
        let request_within = self.duration_or(at, "request-within", map.request_within.as_ref(), REQUEST_WITHIN);
        let within = self.duration_or(at, "within", map.within.as_ref(), UPLOAD_WITHIN);
        let image = image?;
        let name = image.name.clone();
        self.used.insert(name.clone(), image);
        Some(Upload { image: name, result: result?, answer_within: answer_within?, request_within: request_within?, within: within? })
    }

    /// An upload is broken off by a handler, and by nothing else.
    pub(super) fn check_upload(&mut self, step: &Step, at: Cursor<'_>) -> Option<()> {
        let Action::Upload(upload) = &step.action else { return Some(()) };
        let (message, hint) = match (upload.result == UploadResult::Interrupted, step.breaks_off()) {
            (true, false) => (
                "nothing breaks this upload off",
                "give it a handler that does: `on: [ { byte: 50 %, steps: [ reset: { pulse: 15 ms } ] } ]`",
            ),
            (false, true) => ("a handler breaks this upload off", "write `result: interrupted`"),
            (true, true) | (false, false) => return Some(()),
        };
        self.reader.push(at.key_problem(message).hint(hint));
        None
    }

    /// The image called `name`.
    fn named(&mut self, at: Cursor<'_>, name: &str) -> Option<PlannedImage> {
        let image = self.images.get(name).cloned();
        if image.is_none() {
            let near = known(name, self.images.keys().map(String::as_str));
            let hint = if name.contains('/') || name.ends_with(".img") {
                format!(
                    "{near}\na scenario names images and never paths: with `newer: {{ path: {name} }}` under `images` of the bench file it is `newer`"
                )
            } else {
                format!(
                    "{near}\nor add it: to `images` here, `{name}: {{ make: {{ A: 2.8.0 }} }}`, or to `images` of the bench file, `{name}: {{ path: … }}`"
                )
            };
            self.reader.push(at.problem(format!("there is no image `{name}`")).hint(hint));
        }
        image
    }
}
