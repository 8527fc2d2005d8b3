//! What a person or a test may ask of a virtual board beside its wires: its state, and a fresh setup.

use serde::Serialize;

use super::module::{Program, VirtualEvkit};
use super::settings::Settings;
use crate::baud::Baud;
use crate::model::ControlTarget;
use crate::seam::LineState;
use crate::time::MonoTime;

/// The board's state as `state` answers it. Numbers count from the last setup.
#[derive(Debug, Serialize)]
struct State {
    program: &'static str,
    /// In baud.
    speed: Baud,
    /// What runs, where the application does; else what is installed.
    firmware: String,
    power: &'static str,
    wake: LineState,
    edges: u64,
    bytes_in: u64,
    bytes_out: u64,
}

impl VirtualEvkit {
    /// The board's state as of its last call, as one line of JSON: `program` (`boot`, `application`, `reset`, `off` or `dead`), `speed` of the module in baud, `firmware` (part A), what the host does with `power` (`on`, `off`) and `wake` (`asserted`, `released`),
    /// and since the last setup the `edges` of the reset line, the `bytes_in` that it received and the `bytes_out` that the host did.
    #[must_use]
    pub fn state(&self) -> String {
        let program = match self.program {
            Program::Boot(_) => "boot",
            Program::Application(_) => "application",
            Program::Reset => "reset",
            Program::Off => "off",
            Program::Dead(_) => "dead",
        };
        let firmware = match &self.program {
            Program::Application(application) => application.version(),
            Program::Boot(_) | Program::Reset | Program::Off | Program::Dead(_) => self.memory.versions.a,
        };
        let (speed, firmware) = (self.uart.speed(), firmware.to_string());
        let power = if self.host.is_power_on { "on" } else { "off" };
        let wake = self.host.wake;
        let state = State {
            program,
            speed,
            firmware,
            power,
            wake,
            edges: self.edges,
            bytes_in: self.uart.bytes_in,
            bytes_out: self.uart.bytes_out,
        };
        serde_json::to_string(&state).unwrap_or_default()
    }
}

/// `state`, `acted` (how often each fault acted since the last setup, as one line of JSON), and `setup` with an optional `seed=N` and then settings as `KEY=VALUE`, where a value with blanks stands in double
/// quotes or without its blanks: `setup seed=7 boot-window="20 ms" speed=460800`. Among them, faults as `fault=NAME` or `fault=NAME=VALUE`; what comes later counts. A setup makes a fresh board of it ([`VirtualEvkit::setup`]) or, when one of its words is wrong, changes
/// nothing; its answer is empty.
impl ControlTarget for VirtualEvkit {
    fn command(&mut self, now: MonoTime, words: &str) -> Result<String, String> {
        let words = split_words(words)?;
        match words.split_first().map(|(first, rest)| (first.as_str(), rest)) {
            Some(("state", [])) => Ok(self.state()),
            Some(("setup", rest)) => {
                self.setup(now, settings_from(rest)?);
                Ok(String::new())
            }
            Some(("acted", [])) => Ok(serde_json::to_string(&self.log.acted()).unwrap_or_default()),
            Some((name @ ("state" | "acted"), _)) => Err(format!("`{name}` takes nothing behind it")),
            Some((other, _)) => Err(format!("no command `{other}`: try `help`")),
            None => Err("no command: try `help`".to_owned()),
        }
    }

    fn help(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("state", "the board's state as one line of JSON"),
            ("acted", "how often each fault acted since the last setup, as one line of JSON"),
            (
                "setup [seed=N] [fault=NAME …] [KEY=VALUE …]",
                "a fresh board: assumptions and faults drawn by the seed, and these settings; a value with blanks in double quotes",
            ),
        ]
    }
}

fn settings_from(words: &[String]) -> Result<Settings, String> {
    let split = |word: &'_ String| match word.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err(format!("expected KEY=VALUE, got `{word}`; a value with blanks stands in double quotes")),
    };
    // A value that was cut at its blank is the better complaint than what is left of it.
    words.iter().try_for_each(|word| split(word).map(drop))?;
    let mut settings = Settings::default();
    for (index, word) in words.iter().enumerate() {
        let (key, value) = split(word)?;
        if key == "seed" {
            if index > 0 {
                return Err("`seed` must be the first word of a setup: it draws every assumption anew".to_owned());
            }
            let seed = value.parse().map_err(|_| format!("`seed` takes a whole number, got `{value}`"))?;
            settings = Settings::drawn(seed);
        } else {
            settings.put(&key, &value).map_err(|error| error.to_string())?;
        }
    }
    Ok(settings)
}

/// Splits at blanks, except inside double quotes, which are taken away.
fn split_words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    if quoted {
        return Err("a double quote is not closed".to_owned());
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn board() -> VirtualEvkit {
        VirtualEvkit::new(Settings::default(), MonoTime::ZERO)
    }

    #[test]
    fn state_is_one_line_of_json() {
        let answer = board().command(MonoTime::ZERO, "state").unwrap();
        assert_eq!(
            answer,
            r#"{"program":"application","speed":115200,"firmware":"2.7.0","power":"on","wake":"released","edges":0,"bytes_in":0,"bytes_out":0}"#
        );
    }

    #[test]
    fn setup_takes_a_seed_and_values_with_blanks() {
        let mut board = board();
        assert_eq!(board.command(MonoTime::ZERO, r#"setup seed=7 boot-window="20 ms" speed=460800 boot-version="A B""#), Ok(String::new()));
        assert_eq!(board.settings.boot_window, Duration::from_millis(20));
        assert_eq!(board.settings.boot_version.as_str(), "A B");
        assert_eq!(board.settings.erase_time, Settings::drawn(7).erase_time);
        assert_eq!(board.uart.speed().bits_per_second(), 460_800);
        board.command(MonoTime::ZERO, "setup boot-window=20ms").unwrap();
        assert_eq!(board.settings, Settings { boot_window: Duration::from_millis(20), ..Settings::default() });
    }

    #[test]
    fn a_mistake_changes_nothing() {
        let mut board = board();
        let before = board.settings.clone();
        for (words, message) in [
            ("", "no command: try `help`"),
            ("reboot", "no command `reboot`: try `help`"),
            ("state now", "`state` takes nothing behind it"),
            ("setup boot-window=20 ms", "expected KEY=VALUE, got `ms`; a value with blanks stands in double quotes"),
            ("setup speed=460800 seed=1", "`seed` must be the first word of a setup: it draws every assumption anew"),
            ("setup seed=x", "`seed` takes a whole number, got `x`"),
            ("setup speed=460800 eco=true", "the virtual EVKIT has no setting `eco`; the nearest one is `echo`"),
            ("setup boot-window=\"20 ms", "a double quote is not closed"),
        ] {
            assert_eq!(board.command(MonoTime::ZERO, words), Err(message.to_owned()), "{words}");
        }
        assert_eq!(board.settings, before);
    }
}
