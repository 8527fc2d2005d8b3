//! What a board is, and what tells it from others.

use super::file::{BoardMap, IdentityMap};
use super::reader::Reader;
use super::{BoardKind, Identity, Sim};
use crate::document::{Cursor, Refusal, TRUTH, one_of};

/// What a board may be.
pub(super) const KINDS: &[(&str, BoardKind)] = &[("st87m01", BoardKind::St87m01), ("generic", BoardKind::Generic)];
/// What may be done about a network.
pub(super) const SIMS: &[(&str, Sim)] = &[("none", Sim::None), ("quiet", Sim::Quiet), ("live", Sim::Live)];

/// The parts of a board that [`Reader::unit`] reads.
pub(super) struct Unit {
    pub(super) kind: BoardKind,
    pub(super) identity: Identity,
    pub(super) health: bool,
    pub(super) sim: Sim,
}

impl Reader<'_> {
    /// Which unit a board is, and whether it has to answer before its first case.
    pub(super) fn unit(&mut self, map: &BoardMap, at: Cursor<'_>) -> Option<Unit> {
        let kind = self.word(at.get("kind"), map.kind.as_ref(), BoardKind::default(), "a kind of board", KINDS);
        let identity = match &map.identity {
            Some(identity) => self.identity(identity, at.get("identity")),
            None => Some(Identity::default()),
        };
        let given = match &map.health {
            Some(text) => Some(self.value(at.get("health"), text, |text| one_of(text, "a truth value", TRUTH))?),
            None => None,
        };
        let sim = self.word(at.get("sim"), map.sim.as_ref(), Sim::default(), "a way to treat a SIM", SIMS);
        let (kind, identity, sim) = (kind?, identity?, sim?);
        let asks_imei = identity.imei.is_some();
        if kind == BoardKind::Generic {
            self.nothing_of_the_module(map, at);
        } else if given == Some(false) && asks_imei {
            self.problems.push(
                at.get("health")
                    .problem("without the health case nobody asks for the IMEI")
                    .hint("remove `health: false`, or `imei` under `identity`"),
            );
        }
        if sim != Sim::None && (kind == BoardKind::Generic || map.virtual_board.is_some()) {
            let what = if kind == BoardKind::Generic { "of a generic board nothing is assumed" } else { "a virtual board has no SIM" };
            self.problems.push(at.get("sim").problem("this board has no SIM to be treated so").hint(format!("{what}; remove `sim`")));
        }
        let health = given.unwrap_or(kind == BoardKind::St87m01 && (map.virtual_board.is_none() || asks_imei));
        Some(Unit { kind, identity, health, sim })
    }

    /// Complains of keys that assume an ST87M01.
    fn nothing_of_the_module(&mut self, map: &BoardMap, at: Cursor<'_>) {
        let given = [
            ("virtual", map.virtual_board.is_some(), "a virtual board is an EVKIT"),
            ("start-up", map.start_up.is_some(), "restarts of another module are not looked for"),
            ("health", map.health.as_ref().is_some_and(|health| &**health == "true"), "the health case asks an ST87M01"),
        ];
        for (key, _, because) in given.into_iter().filter(|(_, given, _)| *given) {
            self.problems.push(
                at.get(key)
                    .key_problem(format!("a board of `kind: generic` has no `{key}`"))
                    .hint(format!("{because}; of a generic board nothing is assumed")),
            );
        }
        if map.identity.as_ref().is_some_and(|identity| identity.imei.is_some()) {
            let imei = at.get("identity").get("imei");
            self.problems.push(
                imei.key_problem("a board of `kind: generic` is not asked for its IMEI")
                    .hint("`usb-serial` and `usb-path` tell it from others"),
            );
        }
    }

    fn identity(&mut self, map: &IdentityMap, at: Cursor<'_>) -> Option<Identity> {
        let IdentityMap { imei, usb_serial, usb_path } = map;
        if imei.is_none() && usb_serial.is_none() && usb_path.is_none() {
            self.problems.push(at.key_problem("`identity` says nothing").hint("give it `imei`, `usb-serial` or `usb-path`, any of them"));
            return None;
        }
        let mut read = |key: &str, text: Option<&crate::document::Text>, parse: fn(&str) -> Result<String, Refusal>| match text {
            Some(text) => self.value(at.get(key), text, parse).map(Some),
            None => Some(None),
        };
        let imei = read("imei", imei.as_ref(), imei_digits);
        let usb_serial = read("usb-serial", usb_serial.as_ref(), serial_number);
        let usb_path = read("usb-path", usb_path.as_ref(), usb_place);
        Some(Identity { imei: imei?, usb_serial: usb_serial?, usb_path: usb_path? })
    }
}

fn imei_digits(text: &str) -> Result<String, Refusal> {
    if text.len() == 15 && text.bytes().all(|digit| digit.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err(Refusal::new(format!("`{text}` is not an IMEI"), "15 digits, as the module answers AT+CGSN and as its label says"))
}

pub(super) fn serial_number(text: &str) -> Result<String, Refusal> {
    if text.is_empty() {
        return Err(Refusal::new("an empty serial number", "`udevadm info -a` shows the adapter's as ATTRS{serial}"));
    }
    Ok(text.to_owned())
}

/// Bus and ports, as the kernel names the folder of a USB device.
pub(super) fn usb_place(text: &str) -> Result<String, Refusal> {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
    match text.split_once('-') {
        Some((bus, ports)) if number(bus) && ports.split('.').all(number) => Ok(text.to_owned()),
        _ => Err(Refusal::new(
            format!("`{text}` is not a place on USB"),
            "the bus, a dash and the ports on the way, as in `1-1.2`: the folder's name in /sys/bus/usb/devices",
        )),
    }
}
