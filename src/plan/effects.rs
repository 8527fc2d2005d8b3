//! What steps may do to a board, derived from what they send.
//!
//! Deriving errs on the side of asking: a command is looked for anywhere in a line, and a line may be sent in pieces.

use super::{Action, Effect, Step, UploadResult};

/// An effect that a step has, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// The effect.
    pub effect: Effect,
    /// Index of the step that has it, counting through `steps` and on through `finally`.
    pub step: usize,
    /// Why, to follow "it": `sends AT+IPR=`.
    pub because: String,
}

/// Commands to either program that change a board for longer than the case, and how. Sources: ST's Easy Connect (`AT+IPR`, `AT#NVM…`, `AT#UP`), mbed's driver (`AT#RESET=1` saves to NVM),
/// ITU-T V.250 (`AT&W`).
const COMMANDS: &[(&str, Effect)] =
    &[("+IPR=", Effect::Speed), ("#NVM", Effect::Nvm), ("#RESET=1", Effect::Nvm), ("&W", Effect::Nvm), ("#UP", Effect::Firmware)];

/// Every effect of a case's steps, in the order of the steps.
#[must_use]
pub fn derive<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Vec<Derived> {
    let mut derived = Vec::new();
    // What `send` steps have sent since the last end of a line.
    let mut line = String::new();
    for (index, step) in steps.into_iter().enumerate() {
        let mut add = |effect, because: String| derived.push(Derived { effect, step: index, because });
        match &step.action {
            Action::At(at) => of_command(&at.command, &mut add),
            Action::Boot(boot) => of_command(&boot.command, &mut add),
            Action::Send(send) => {
                if send.raw {
                    add(Effect::Raw, "sends bytes in `hex`".to_owned());
                } else if let Some(byte) = send.bytes.iter().find(|byte| !matches!(byte, b'\r' | b'\n' | b' '..=b'~')) {
                    add(Effect::Raw, format!("sends the control character 0x{byte:02x}"));
                }
                line.push_str(&String::from_utf8_lossy(&send.bytes));
                of_command(&line, &mut add);
                line.drain(..line.rfind('\r').map_or(0, |end| end + 1));
            }
            Action::Upload(upload) => {
                add(Effect::Firmware, format!("uploads `{}`", upload.image));
                if upload.result == UploadResult::Refused {
                    add(Effect::DowngradeAttempt, format!("uploads `{}`, which must be refused", upload.image));
                }
            }
            Action::Reset(_)
            | Action::Uart { .. }
            | Action::Expect(_)
            | Action::Quiet(_)
            | Action::Wait { .. }
            | Action::Handshake(_)
            | Action::Diagnosis(_)
            | Action::Restore(_) => {}
        }
    }
    derived
}

fn of_command(text: &str, add: &mut impl FnMut(Effect, String)) {
    let upper = text.to_ascii_uppercase();
    for (command, effect) in COMMANDS {
        // `AT+IPR=?` asks which speeds there are.
        let sets = upper.match_indices(command).any(|(at, _)| !upper[at + command.len()..].starts_with('?'));
        if sets {
            add(*effect, format!("sends `AT{}`", command.trim_end_matches('=')));
        }
    }
}
