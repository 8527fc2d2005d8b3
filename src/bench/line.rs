//! A line of the bench file: who drives it or watches it, and how.

use std::time::Duration;

use super::file::WiringMap;
use super::identity::{serial_number, usb_place};
use super::reader::{Reader, resolved};
use crate::document::{Cursor, Entries, Refusal, Short, Text, one_of};
use crate::line::{Active, Backend, Bias, Drive, GpioLine, LineConfig, MAX_LINES, Role, Signal};
use crate::plan::units::{parse_duration, show_duration};
use crate::port::PortName;

/// The highest BCM number on a Raspberry Pi's header.
pub(super) const MAX_GPIO: u8 = 27;

/// The longest name of a line.
const MAX_NAME: usize = 32;
/// What a line may be called, as a pattern for editors.
pub(super) const LINE_NAME_PATTERN: &str = "^[A-Za-z][A-Za-z0-9_-]{0,31}$";

/// How long a program may take where the bench does not say.
const COMMAND_WITHIN: Duration = Duration::from_secs(5);
/// How long a person may take where the bench does not say.
const MANUAL_WITHIN: Duration = Duration::from_secs(120);
/// The longest that either may be given.
const MAX_WITHIN: Duration = Duration::from_secs(600);

/// Who drives a line.
pub(super) const DIRECTIONS: &[(&str, Role)] = &[("out", Role::Output), ("in", Role::Input)];
/// How a line is driven.
pub(super) const DRIVES: &[(&str, Drive)] = &[("open-drain", Drive::OpenDrain), ("push-pull", Drive::PushPull)];
/// The pull resistors of a host's pin.
pub(super) const BIASES: &[(&str, Bias)] = &[("none", Bias::None), ("pull-up", Bias::PullUp), ("pull-down", Bias::PullDown)];
/// The levels that assert.
pub(super) const ACTIVES: &[(&str, Active)] = &[("low", Active::Low), ("high", Active::High)];
/// Signals of a serial port that a host drives.
pub(super) const SIGNALS: &[(&str, Signal)] = &[("dtr", Signal::Dtr), ("rts", Signal::Rts)];

/// Every backend, by its name. Which of them a line can have depends on what it is for.
pub(super) const BACKENDS: &[(&str, Kind)] = Kind::of(Role::Output);

/// What a line is read for.
pub(super) struct Purpose<'a> {
    pub(super) board: &'a str,
    pub(super) name: &'a str,
    pub(super) role: Role,
    /// The board's own port, where it could be read.
    pub(super) port: Option<&'a PortName>,
}

impl Purpose<'_> {
    fn is_reset(&self) -> bool {
        self.name == "reset"
    }

    /// The line in messages.
    fn what(&self) -> &'static str {
        match self.role {
            Role::Power => "power line",
            Role::Output if self.is_reset() => "reset line",
            Role::Output | Role::Input => "line",
        }
    }
}

impl Reader<'_> {
    /// The lines below `lines:`.
    pub(super) fn lines(
        &mut self,
        board: &str,
        port: Option<&PortName>,
        entries: Option<&Entries<WiringMap>>,
        list: Cursor<'_>,
    ) -> Option<Vec<LineConfig>> {
        let entries = entries.map_or(&[][..], |Entries(entries)| entries);
        if entries.len() > MAX_LINES - 2 {
            let message = format!("more than {} lines beside reset and power", MAX_LINES - 2);
            self.problems.push(list.key_problem(message).hint("name those that scenarios use"));
            return None;
        }
        let mut lines = Vec::new();
        for (name, map) in entries {
            let at = list.get(name);
            let fits = name.len() <= MAX_NAME && name.starts_with(|c: char| c.is_ascii_alphabetic());
            if ["reset", "power"].contains(&name.as_str()) {
                let hint = format!("`{name}` is a key of the board itself, beside `lines`");
                self.problems.push(at.key_problem(format!("`{name}` cannot be the name of a line")).hint(hint));
            } else if !fits || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
                let hint = format!("at most {MAX_NAME} letters, digits, `_` and `-`, a letter first: `wake`, `ring`");
                self.problems.push(at.key_problem(format!("`{name}` cannot be the name of a line")).hint(hint));
            }
            let role = self.word(at.get("direction"), map.direction.as_ref(), Role::Output, "a direction of a line", DIRECTIONS);
            let purpose = |role| Purpose { board, name, role, port };
            lines.push(role.and_then(|role| self.line(&purpose(role), map, at)));
        }
        lines.into_iter().collect()
    }

    /// The line that stands at `at`.
    pub(super) fn line(&mut self, purpose: &Purpose<'_>, map: &WiringMap, at: Cursor<'_>) -> Option<LineConfig> {
        let kind = self.kind(purpose, map, at);
        let (drive, active) = match (purpose.role, kind) {
            // An enable pin that nobody drives is neither on nor off.
            (Role::Power, _) => (Drive::PushPull, Active::Low),
            (_, Some(Kind::ModemLine)) => (Drive::OpenDrain, Active::High),
            _ => (Drive::OpenDrain, Active::Low),
        };
        let drive = self.word(at.get("drive"), map.drive.as_ref(), drive, "a way to drive a line", DRIVES);
        let bias = self.word(at.get("bias"), map.bias.as_ref(), Bias::default(), "a bias", BIASES);
        let active = self.word(at.get("active"), map.active.as_ref(), active, "an active level", ACTIVES);
        let kind = kind?;
        if purpose.role == Role::Power && matches!(kind, Kind::Gpiocdev) && map.active.is_none() {
            let hint =
                "`active: high` for a switch that a high level turns on; by mistake, the board would be without supply for the whole run";
            self.problems.push(at.key_problem("nothing says which level switches the supply on").hint(hint));
            return None;
        }
        let backend = self.backend(kind, purpose, map, at)?;
        self.take_line(purpose, &backend, at);
        let name = purpose.name.to_owned();
        Some(LineConfig { backend, name, role: purpose.role, drive: drive?, bias: bias?, active: active? })
    }

    /// Who drives the line, with none but the keys that go with that.
    fn kind(&mut self, purpose: &Purpose<'_>, map: &WiringMap, at: Cursor<'_>) -> Option<Kind> {
        let words = Kind::of(purpose.role);
        let kind = match &map.backend {
            Some(text) => {
                let what =
                    format!("a backend of a {}", if purpose.role == Role::Input { "line that the board drives" } else { purpose.what() });
                self.value(at.get("backend"), text, |text| one_of(text, &what, words))?
            }
            None if map.gpio.is_some() && purpose.role != Role::Power => Kind::RaspberryPi,
            None => {
                let names = words.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                let hint = match purpose.role {
                    Role::Power => format!("give `backend`, one of {names}"),
                    Role::Output | Role::Input => format!("give `gpio: 17` for a Raspberry Pi's pin, or `backend`, one of {names}"),
                };
                self.problems.push(at.key_problem(format!("nothing says who drives this {}", purpose.what())).hint(hint));
                return None;
            }
        };
        let mut fits = true;
        let keys = kind.keys(purpose);
        for (key, given) in [
            ("gpio", map.gpio.is_some()),
            ("chip", map.chip.is_some()),
            ("line", map.line.is_some()),
            ("path", map.path.is_some()),
            ("signal", map.signal.is_some()),
            ("port", map.port.is_some()),
            ("assert", map.assert.is_some()),
            ("release", map.release.is_some()),
            ("on", map.on.is_some()),
            ("off", map.off.is_some()),
            ("within", map.within.is_some()),
            ("drive", map.drive.is_some()),
            ("bias", map.bias.is_some()),
            ("active", map.active.is_some()),
        ] {
            if given && !keys.contains(&key) {
                let what = match purpose.role {
                    Role::Input => " for a line that the board drives",
                    Role::Power => " for power",
                    Role::Output => "",
                };
                let keys = keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
                self.problems.push(
                    at.get(key).key_problem(format!("the backend `{}` has no `{key}`{what}", kind.name())).hint(format!("it has {keys}")),
                );
                fits = false;
            }
        }
        if map.direction.is_some() && (purpose.is_reset() || purpose.role == Role::Power) {
            let message = format!("a {} has no direction: it is an output", purpose.what());
            self.problems.push(at.get("direction").key_problem(message).hint("remove it"));
            fits = false;
        }
        fits.then_some(kind)
    }

    fn backend(&mut self, kind: Kind, purpose: &Purpose<'_>, map: &WiringMap, at: Cursor<'_>) -> Option<Backend> {
        match kind {
            Kind::Rppal | Kind::RaspberryPi => {
                let gpio = self.needed(map.gpio.as_ref(), "gpio", at)?;
                let gpio = self.value(at.get("gpio"), gpio, gpio_number)?;
                Some(if matches!(kind, Kind::Rppal) { Backend::Rppal { gpio } } else { Backend::RaspberryPi { gpio } })
            }
            Kind::Gpiocdev => {
                let line = self.needed(map.line.as_ref(), "line", at)?;
                let line = self.value(at.get("line"), line, gpio_line)?;
                let chip = match &map.chip {
                    Some(text) => Some(self.path(at.get("chip"), text)?),
                    None => None,
                };
                if chip.is_none() && matches!(line, GpioLine::Offset(_)) {
                    self.problems.push(
                        at.get("line")
                            .problem("an offset without its chip")
                            .hint("give `chip: /dev/gpiochip0` as well, or the line's name: `line: GPIO17`"),
                    );
                    return None;
                }
                Some(Backend::Gpiocdev { chip, line })
            }
            Kind::Socket => {
                let path = self.needed(map.path.as_ref(), "path", at)?;
                let path = self.path(at.get("path"), path);
                let line = match &map.line {
                    Some(text) => self.value(at.get("line"), text, socket_word),
                    None => Some(purpose.name.to_owned()),
                };
                Some(Backend::Socket { path: path?, line: line? })
            }
            Kind::ModemLine => {
                let signal = self.needed(map.signal.as_ref(), "signal", at)?;
                let signal = self.value(at.get("signal"), signal, |text| one_of(text, "a signal that a host drives", SIGNALS));
                let (port, own) = self.modem_port(purpose, map, at)?;
                Some(Backend::ModemLine { port, own, signal: signal? })
            }
            Kind::Command => {
                let keys = if purpose.role == Role::Power { ["on", "off"] } else { ["assert", "release"] };
                let lists = if purpose.role == Role::Power { [&map.on, &map.off] } else { [&map.assert, &map.release] };
                let [assert, release] = [0, 1].map(|which| self.command(lists[which].as_deref(), keys[which], at));
                let within = self.within(map, at, COMMAND_WITHIN);
                Some(Backend::Command { assert: assert?, release: release?, within: within? })
            }
            Kind::Manual => {
                let within = self.within(map, at, MANUAL_WITHIN)?;
                Some(Backend::Manual { board: purpose.board.to_owned(), within })
            }
        }
    }

    /// The port of a modem line, and whether that is the board's own.
    fn modem_port(&mut self, purpose: &Purpose<'_>, map: &WiringMap, at: Cursor<'_>) -> Option<(PortName, bool)> {
        let Some(named) = &map.port else { return purpose.port.map(|port| (port.clone(), true)) };
        let place = at.get("port");
        let port = self.port_name(named, place)?;
        if purpose.port == Some(&port) {
            return Some((port, true));
        }
        let key = match &port {
            PortName::Path(path) => format!("port {}", resolved(path)),
            PortName::Usb { serial, interface: Some(interface) } => format!("usb {serial} {interface}"),
            PortName::Usb { serial, interface: None } => format!("usb {serial}"),
            PortName::UsbPath { path, interface: Some(interface) } => format!("usb at {path} {interface}"),
            PortName::UsbPath { path, interface: None } => format!("usb at {path}"),
        };
        // Both signals of a further port may be lines of one board.
        if !self.has(purpose.board, &key) {
            self.take(purpose.board, place, "port", &key);
        }
        Some((port, false))
    }

    /// An argument list. A program that is named with a slash is relative to the bench file.
    fn command(&mut self, list: Option<&[Text]>, key: &str, at: Cursor<'_>) -> Option<Vec<String>> {
        let place = at.get(key);
        let Some(list) = list else {
            self.problems.push(at.get("backend").problem(format!("this backend needs the key `{key}`")));
            return None;
        };
        let example = format!("write `{key}: [usbrelay, R1=1]`: the program and its arguments, which no shell reads");
        let Some((program, arguments)) = list.split_first() else {
            self.problems.push(place.key_problem("an empty list names no program").hint(example));
            return None;
        };
        if program.is_empty() || list.iter().any(|word| word.contains('\0')) {
            self.problems.push(place.key_problem("a program's name is empty, or an argument has a NUL").hint(example));
            return None;
        }
        if arguments.is_empty() && program.contains(' ') {
            self.problems.push(place.item(0).problem("a program's name with a blank in it").hint(example));
            return None;
        }
        let program = if program.contains('/') { self.directory.join(&**program).display().to_string() } else { program.0.clone() };
        Some(std::iter::once(program).chain(arguments.iter().map(|argument| argument.0.clone())).collect())
    }

    fn within(&mut self, map: &WiringMap, at: Cursor<'_>, default: Duration) -> Option<Duration> {
        let Some(text) = &map.within else { return Some(default) };
        self.value(at.get("within"), text, |text| {
            let time = parse_duration(text)?;
            if time.is_zero() || time > MAX_WITHIN {
                let hint = format!("more than 0, at most {}", show_duration(MAX_WITHIN));
                return Err(Refusal::new(format!("{text} for one drive is out of range"), hint));
            }
            Ok(time)
        })
    }

    /// Notes which line this is; complains when another one is the same.
    fn take_line(&mut self, purpose: &Purpose<'_>, backend: &Backend, at: Cursor<'_>) {
        match backend {
            // Two programs may well be one with other arguments.
            Backend::Command { .. } => {}
            Backend::Manual { .. } => self.take_terminal(purpose.board, at),
            backend => self.take(purpose.board, at, purpose.what(), &line_key(backend)),
        }
    }

    fn needed<'t>(&mut self, text: Option<&'t Text>, key: &str, at: Cursor<'_>) -> Option<&'t Text> {
        if text.is_none() {
            self.problems.push(at.get("backend").problem(format!("this backend needs the key `{key}`")));
        }
        text
    }

    /// A port by its name, which is not noted.
    pub(super) fn port_name(&mut self, port: &Short<super::file::UsbMap>, at: Cursor<'_>) -> Option<PortName> {
        match port {
            Short::Scalar(text) => self.path(at, text).map(PortName::Path),
            Short::Map(map) => {
                let interface = match &map.interface {
                    Some(text) => Some(self.value(at.get("interface"), text, |text| {
                        text.parse::<u8>().map_err(|_| Refusal::new(format!("`{text}` is not an interface"), "a number from 0 to 255"))
                    })?),
                    None => None,
                };
                match (&map.usb_serial, &map.usb_path) {
                    (Some(serial), None) => {
                        let serial = self.value(at.get("usb-serial"), serial, serial_number)?;
                        Some(PortName::Usb { serial, interface })
                    }
                    (None, Some(path)) => {
                        let path = self.value(at.get("usb-path"), path, usb_place)?;
                        Some(PortName::UsbPath { path, interface })
                    }
                    (Some(_), Some(_)) => {
                        self.problems.push(at.get("usb-path").key_problem("a port has a serial number or a place, not both").hint(
                            "`usb-path` finds the port wherever serial numbers repeat; `identity: { usb-serial: … }` beside it checks what is plugged in there",
                        ));
                        None
                    }
                    (None, None) => {
                        self.problems.push(
                            at.key_problem("`port` does not say which adapter")
                                .hint("give it `usb-serial` or, where serial numbers repeat, `usb-path: 1-1.2`"),
                        );
                        None
                    }
                }
            }
            Short::Nothing => {
                self.problems.push(
                    at.key_problem("`port` has no value")
                        .hint("a device, `/dev/serial/by-id/…`, or `{ usb-serial: 0123ABCD, interface: 1 }`"),
                );
                None
            }
        }
    }
}

/// The backends, before their keys are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// None was named, and `gpio` was.
    RaspberryPi,
    Rppal,
    Gpiocdev,
    Socket,
    ModemLine,
    Command,
    Manual,
}

impl Kind {
    /// Those that a line of this role can have, by their names.
    const fn of(role: Role) -> &'static [(&'static str, Self)] {
        match role {
            Role::Output => &[
                ("rppal", Self::Rppal),
                ("gpiocdev", Self::Gpiocdev),
                ("modem-line", Self::ModemLine),
                ("command", Self::Command),
                ("socket", Self::Socket),
                ("manual", Self::Manual),
            ],
            Role::Power => &[("gpiocdev", Self::Gpiocdev), ("command", Self::Command), ("socket", Self::Socket)],
            // rppal has no edges with the kernel's time.
            Role::Input => &[("gpiocdev", Self::Gpiocdev), ("socket", Self::Socket)],
        }
    }

    /// Its name in messages.
    const fn name(self) -> &'static str {
        match self {
            Self::RaspberryPi => "rppal` or `gpiocdev",
            Self::Rppal => "rppal",
            Self::Gpiocdev => "gpiocdev",
            Self::Socket => "socket",
            Self::ModemLine => "modem-line",
            Self::Command => "command",
            Self::Manual => "manual",
        }
    }

    /// The keys that go with it, beside `backend` and `direction`.
    fn keys(self, purpose: &Purpose<'_>) -> &'static [&'static str] {
        match (self, purpose.role) {
            (Self::RaspberryPi | Self::Rppal, Role::Input) => &["gpio", "bias", "active"],
            (Self::RaspberryPi | Self::Rppal, _) => &["gpio", "drive", "bias", "active"],
            (Self::Gpiocdev, Role::Input) => &["chip", "line", "bias", "active"],
            (Self::Gpiocdev, _) => &["chip", "line", "drive", "bias", "active"],
            (Self::Socket, _) => &["path", "line"],
            (Self::ModemLine, _) => &["signal", "port", "active"],
            (Self::Command, Role::Power) => &["on", "off", "within"],
            (Self::Command, _) => &["assert", "release", "within"],
            (Self::Manual, _) => &["within"],
        }
    }
}

fn gpio_number(text: &str) -> Result<u8, Refusal> {
    text.parse::<u8>().ok().filter(|gpio| *gpio <= MAX_GPIO).ok_or_else(|| {
        Refusal::new(
            format!("`{text}` is not a GPIO of a Raspberry Pi's header"),
            format!("a BCM number from 0 to {MAX_GPIO}, not the number of the header's pin"),
        )
    })
}

fn gpio_line(text: &str) -> Result<GpioLine, Refusal> {
    if text.is_empty() {
        return Err(Refusal::new("an empty line", "an offset (`17`) with its chip, or a name (`GPIO17`)"));
    }
    if text.bytes().all(|digit| digit.is_ascii_digit()) {
        return text
            .parse()
            .map(GpioLine::Offset)
            .map_err(|_| Refusal::new(format!("the offset {text} is out of range"), "`gpioinfo` lists the lines of each chip"));
    }
    Ok(GpioLine::Name(text.to_owned()))
}

/// What a line is called on its socket.
fn socket_word(text: &str) -> Result<String, Refusal> {
    if text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Refusal::new(
            format!("`{text}` cannot be a line's name on a socket"),
            "one word, as in `line: wake` for `wake assert`",
        ));
    }
    Ok(text.to_owned())
}

/// What makes a line the same line as another.
fn line_key(backend: &Backend) -> String {
    match backend {
        Backend::RaspberryPi { gpio } | Backend::Rppal { gpio } => format!("line rppal {gpio}"),
        Backend::Gpiocdev { chip: Some(chip), line } => format!("line {} {line:?}", resolved(chip)),
        // A Raspberry Pi names its lines by their BCM numbers.
        Backend::Gpiocdev { chip: None, line: GpioLine::Name(name) } => match name.strip_prefix("GPIO") {
            Some(gpio) => format!("line rppal {gpio}"),
            None => format!("line {name}"),
        },
        Backend::Gpiocdev { chip: None, line } => format!("line {line:?}"),
        Backend::Socket { path, line } => format!("line {} {line}", resolved(path)),
        Backend::ModemLine { port: PortName::Path(path), signal, .. } => format!("line {} {}", resolved(path), signal.name()),
        Backend::ModemLine { port, signal, .. } => format!("line {port} {}", signal.name()),
        Backend::Command { .. } | Backend::Manual { .. } => "line".to_owned(),
    }
}
