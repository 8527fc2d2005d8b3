//! A board of the bench file, and its port.

use std::path::PathBuf;
use std::time::Duration;

use super::file::{BoardMap, UsbMap};
use super::identity::Unit;
use super::line::Purpose;
use super::reader::{Reader, resolved};
use super::{Board, BoardKind, BoardName, START_UP};
use crate::baud::Baud;
use crate::document::{Cursor, Entries, Refusal, Short, TRUTH, Text, one_of};
use crate::line::Role;
use crate::plan::units::{parse_baud, parse_duration, show_duration};
use crate::plan::{BOARD_STEPS, BoardSteps, Effect, VirtualSetup, module_verb};
use crate::port::PortName;
use crate::scenario::{SetupMap, StepList, Words};

/// The longest start-up time: with more, hardly a restart would go unexplained.
const MAX_START_UP: Duration = Duration::from_secs(600);

/// The longest name of a board: it goes into file names.
const MAX_NAME: usize = 64;

/// The key of a virtual board's control socket.
pub(super) const CONTROL: &str = "control";

/// What a board can be called, as a pattern for editors.
pub(super) const NAME_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";

impl Reader<'_> {
    pub(super) fn boards(&mut self, Entries(raw): &Entries<BoardMap>, list: Cursor<'_>) -> Vec<Board> {
        if raw.is_empty() {
            self.problems.push(list.key_problem("there are no boards").hint("give each a name, its `port` and its `reset`"));
        }
        let mut boards = Vec::new();
        for (name, map) in raw {
            let at = list.get(name);
            let fits = name.len() <= MAX_NAME && name.starts_with(|c: char| c.is_ascii_alphanumeric());
            if !fits || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
                self.problems.push(at.key_problem(format!("`{name}` cannot be the name of a board")).hint(format!(
                    "it goes into file names: at most {MAX_NAME} letters, digits, `-`, `_` and `.`, a letter or digit first"
                )));
            }
            boards.extend(self.board(name, map, at));
        }
        boards
    }

    fn board(&mut self, name: &str, map: &BoardMap, at: Cursor<'_>) -> Option<Board> {
        let port = self.port(name, &map.port, at.get("port"));
        let baud = match &map.baud {
            Some(text) => self.value(at.get("baud"), text, |text| Ok(parse_baud(text)?)),
            None => Some(Baud::DEFAULT),
        };
        let accept_mini_uart = self.word(at.get("accept-mini-uart"), map.accept_mini_uart.as_ref(), false, "a truth value", TRUTH);
        let start_up = match &map.start_up {
            Some(text) => self.value(at.get("start-up"), text, start_up),
            None => Some(START_UP),
        };
        let purpose = |name: &'static str, role| Purpose { board: at.key().unwrap_or_default(), name, role, port: port.as_ref() };
        let reset = self.line(&purpose("reset", Role::Output), &map.reset, at.get("reset"));
        let power = map.power.as_ref().map(|power| self.line(&purpose("power", Role::Power), power, at.get("power")));
        let lines = self.lines(name, port.as_ref(), map.lines.as_ref(), at.get("lines"));
        let unit = self.unit(map, at);
        let words = Effect::ALL.iter().map(|effect| (effect.name(), *effect)).collect::<Vec<_>>();
        let list = at.get("allow");
        let allow = map.allow.as_deref().unwrap_or_default().iter().enumerate();
        let allow =
            allow.map(|(index, text)| self.value(list.item(index), text, |text| one_of(text, "an effect", &words))).collect::<Vec<_>>();
        let virtual_board = map.virtual_board.as_ref().map(|given| self.virtual_board(name, given, at.get("virtual")));
        let Unit { kind, identity, health, sim } = unit?;
        let allow = allow.into_iter().collect::<Option<Vec<_>>>()?;
        let before_run = self.steps(map.before_run.as_ref(), at.get("before-run"), kind, &allow, 0);
        let before_case = self.steps(map.before_case.as_ref(), at.get("before-case"), kind, &allow, BOARD_STEPS);
        let after_run = self.steps(map.after_run.as_ref(), at.get("after-run"), kind, &allow, 0);
        let (virtual_control, virtual_setup) = match virtual_board {
            Some(given) => given.map(|(control, setup)| (Some(control), setup))?,
            None => (None, VirtualSetup::default()),
        };
        Some(Board {
            name: BoardName(name.to_owned()),
            line: at.line(),
            file: at.document().file().to_owned(),
            kind,
            identity,
            health,
            sim,
            port: port?,
            accept_mini_uart: accept_mini_uart?,
            baud: baud?,
            start_up: start_up?,
            reset: Some(reset?),
            power: match power {
                Some(power) => Some(power?),
                None => None,
            },
            lines: lines?,
            allow,
            before_run: before_run?,
            before_case: before_case?,
            after_run: after_run?,
            virtual_control,
            virtual_setup,
        })
    }

    /// The control socket of a virtual board, and its set-up.
    fn virtual_board(&mut self, name: &str, given: &Short<SetupMap>, at: Cursor<'_>) -> Option<(PathBuf, VirtualSetup)> {
        let (control, text, setup) = match given {
            Short::Scalar(text) => (at, text.as_str(), Some(VirtualSetup::default())),
            Short::Map(SetupMap(entries)) => {
                let settings = entries.iter().filter(|(key, _)| key != CONTROL).cloned().collect();
                let setup = SetupMap(settings).read(at, &self.secrets, &mut self.problems);
                let Some((_, Words::One(Text(text)))) = entries.iter().find(|(key, _)| key == CONTROL) else {
                    let problem = at.key_problem(format!("`virtual` lacks `{CONTROL}`"));
                    self.problems.push(problem.hint("it is the control socket of `evkit-hil virtual`"));
                    return None;
                };
                (at.get(CONTROL), text.as_str(), setup)
            }
            Short::Nothing => {
                let problem = at.key_problem("`virtual` says nothing");
                self.problems.push(problem.hint("give it the control socket of `evkit-hil virtual`, or remove it"));
                return None;
            }
        };
        let path = self.path(control, text)?;
        // The same socket may well be the board's own reset line.
        self.take(name, control, "virtual board", &format!("control {}", resolved(&path)));
        Some((path, setup?))
    }

    /// Steps of the board's own; none where none are given.
    fn steps(&mut self, list: Option<&StepList>, at: Cursor<'_>, kind: BoardKind, allow: &[Effect], first: u16) -> Option<BoardSteps> {
        let Some(list) = list else { return Some(BoardSteps::default()) };
        let steps = list.read(at, self.directory, &self.secrets, allow, first, &mut self.problems)?;
        if let Some(verb) = module_verb(&steps.steps).filter(|_| kind == BoardKind::Generic) {
            let problem = at.key_problem(format!("its steps use `{verb}`, and of a board of `kind: generic` nothing is assumed"));
            self.problems.push(problem.hint("`send` and `expect` work with any board"));
            return None;
        }
        Some(steps)
    }

    fn port(&mut self, board: &str, port: &Short<UsbMap>, at: Cursor<'_>) -> Option<PortName> {
        let port = self.port_name(port, at)?;
        match &port {
            PortName::Path(path) => self.take(board, at, "port", &format!("port {}", resolved(path))),
            PortName::Usb { serial, interface } => self.take_usb(board, at, &format!("usb {serial}"), *interface),
            PortName::UsbPath { path, interface } => self.take_usb(board, at, &format!("usb at {path}"), *interface),
        }
        Some(port)
    }

    /// An adapter without an interface is the whole adapter.
    fn take_usb(&mut self, board: &str, at: Cursor<'_>, whole: &str, interface: Option<u8>) {
        match interface {
            None => {
                let part = format!("{whole} interface ");
                let other = self.taken.keys().find(|key| key.starts_with(&part) || *key == whole).cloned();
                self.take(board, at, "port", other.as_deref().unwrap_or(whole));
            }
            Some(interface) => {
                let key = if self.taken.contains_key(whole) { whole.to_owned() } else { format!("{whole} interface {interface}") };
                self.take(board, at, "port", &key);
            }
        }
    }
}

fn start_up(text: &str) -> Result<Duration, Refusal> {
    let time = parse_duration(text)?;
    if time.is_zero() || time > MAX_START_UP {
        let hint = format!("the longest time from a restart to `#SYSSTART`: more than 0, at most {}", show_duration(MAX_START_UP));
        return Err(Refusal::new(format!("a start-up time of {text} is out of range"), hint));
    }
    Ok(time)
}
