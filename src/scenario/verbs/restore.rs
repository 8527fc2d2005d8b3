//! `restore`: how the board is put back.

use super::Steps;
use crate::document::{Cursor, Short, TRUTH};
use crate::plan::Restore;
use crate::scenario::file::RestoreMap;

impl Steps<'_, '_> {
    pub(super) fn restore(&mut self, restore: &Short<RestoreMap>, at: Cursor<'_>) -> Option<Restore> {
        let default = Restore::default();
        let map = match restore {
            Short::Nothing => return Some(default),
            Short::Map(map) => map,
            Short::Scalar(_) => return self.needs(at, "restore:` or `restore: { within: 60 s }"),
        };
        let within = self.duration_or(at, "within", map.within.as_ref(), default.within);
        let ladder = match &map.speeds {
            None => default.ladder,
            Some(speeds) if speeds.is_empty() => return self.needs(at.get("speeds"), "speeds: [115200, 460800]"),
            Some(speeds) => {
                let list = at.get("speeds");
                let read = speeds.iter().enumerate().map(|(index, text)| self.baud(list.item(index), text)).collect::<Vec<_>>();
                read.into_iter().collect::<Option<Vec<_>>>()?
            }
        };
        let may_reset =
            map.reset.as_ref().map_or(Some(default.may_reset), |text| self.reader.word(at.get("reset"), text, "`true` or `false`", TRUTH));
        Some(Restore { ladder, within: within?, may_reset: may_reset? })
    }
}
