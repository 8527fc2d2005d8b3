//! Every key of both files is complained about by a file in fixtures/refused.

use std::collections::BTreeSet;
use std::path::Path;

use evkit_hil::document::Document;

use crate::keys::{Key, Keys};
use crate::samples::{self, Kind};
use crate::schema::schema;

/// A complaint is about the innermost key whose own text or value it points at.
#[test]
fn every_key_is_complained_about_by_a_refused_file() {
    let mut missing = Vec::new();
    let scenario = schema(Kind::Scenario);
    let of_steps = Keys::of(&scenario).all;
    for kind in Kind::ALL {
        let schema = schema(kind);
        let keys = Keys::of(&schema);
        let mut complained = BTreeSet::new();
        for sample in samples::refused().into_iter().filter(|sample| sample.kind == kind) {
            let (Ok(document), Err(problems)) = (Document::parse(Path::new(&sample.name), sample.text.as_bytes()), sample.load()) else {
                continue;
            };
            let places = keys.places(document.root().node());
            let lines = std::iter::once(0).chain(document.text().match_indices('\n').map(|(at, _)| at + 1)).collect::<Vec<_>>();
            let here = problems.iter().filter(|problem| problem.file == Path::new(&sample.name));
            for excerpt in here.filter_map(|problem| problem.excerpt.as_ref()) {
                let at = lines[excerpt.line as usize - 1] + excerpt.span.start;
                let around = places.iter().filter(|(_, place)| place.contains(&at) || place.is_empty() && place.start == at);
                complained.extend(around.min_by_key(|(_, place)| place.len()).map(|(key, _)| key.clone()));
            }
        }
        let about = |key| format!("add a mistake in {} to a {kind} file in fixtures/refused", keys.show(key));
        // Steps are the same wherever they stand.
        let own = |key: &&Key| kind == Kind::Scenario || key.0.is_empty() || !of_steps.contains(*key);
        missing.extend(keys.all.difference(&complained).filter(own).map(about));
    }
    assert!(missing.is_empty(), "{} keys are complained about by no file:\n{}", missing.len(), missing.join("\n"));
}
