//! What steps may do to a board, derived from what they send.
//!
//! Deriving errs on the side of asking: a command is looked for anywhere in a line, and a line may be sent in pieces, whatever their order: steps are tried again, left out by `when`, or
//! done by a handler at any time.

use std::collections::BTreeSet;

use super::{Action, Effect, Step, UploadResult};

/// An effect that a step has, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// The effect.
    pub effect: Effect,
    /// The number of the step that has it.
    pub step: u16,
    /// Why, to follow "it": `sends AT+IPR=`.
    pub because: String,
}

/// Commands to either program that change a board for longer than the case, and how. Sources: ST's Easy Connect (`AT+IPR`, `AT#NVM…`, `AT#UP`), mbed's driver (`AT#RESET=1` saves to NVM),
/// ITU-T V.250 (`AT&W`).
const COMMANDS: &[(&str, Effect)] =
    &[("+IPR=", Effect::Speed), ("#NVM", Effect::Nvm), ("#RESET=1", Effect::Nvm), ("&W", Effect::Nvm), ("#UP", Effect::Firmware)];

/// Every effect of a list of steps and of what they hold, in the order of their numbers. What a case sends in `finally` belongs to the same list: its steps may have left a line open.
#[must_use]
pub fn derive<'s>(steps: impl IntoIterator<Item = &'s Step>) -> Vec<Derived> {
    let steps = steps.into_iter().flat_map(Step::walk).collect::<Vec<_>>();
    let open = open_lines(&steps);
    let mut derived = Vec::new();
    for step in steps {
        let mut add = |effect, because: String| derived.push(Derived { effect, step: step.id, because });
        of_action(step, &mut add);
        if let Some(piece) = sent(&step.action) {
            of_piece(&piece, &open, &mut add);
        }
    }
    derived
}

/// What a step has by its verb, whatever the text is that it sends.
fn of_action(step: &Step, add: &mut impl FnMut(Effect, String)) {
    match &step.action {
        Action::Send(send) if send.raw => add(Effect::Raw, "sends bytes in `hex`".to_owned()),
        Action::Send(send) => {
            if let Some(byte) = send.bytes.iter().find(|byte| !matches!(byte, b'\r' | b'\n' | b' '..=b'~')) {
                add(Effect::Raw, format!("sends the control character 0x{byte:02x}"));
            }
        }
        Action::Upload(upload) => {
            add(Effect::Firmware, format!("uploads `{}`", upload.image));
            if upload.result == UploadResult::Refused {
                add(Effect::DowngradeAttempt, format!("uploads `{}`, which must be refused", upload.image));
            }
            if step.may_break_off() {
                add(Effect::InterruptUpload, format!("may break off the upload of `{}`, by `on` or `never`", upload.image));
            }
        }
        Action::Power(_) => add(Effect::Power, "switches the module's supply".to_owned()),
        Action::At(_)
        | Action::Boot(_)
        | Action::Reset(_)
        | Action::Line(_)
        | Action::ExpectEdge(_)
        | Action::Uart { .. }
        | Action::Expect(_)
        | Action::Quiet(_)
        | Action::Wait { .. }
        | Action::Handshake(_)
        | Action::Diagnosis(_)
        | Action::Restore(_)
        | Action::Check(_)
        | Action::Measure(_)
        | Action::Note(_)
        | Action::Retry(_)
        | Action::Repeat(_)
        | Action::All(_)
        | Action::Any(_)
        | Action::When(_) => {}
    }
}

/// What a step sends of the file's text, as the module takes it.
fn sent(action: &Action) -> Option<String> {
    match action {
        Action::At(at) => Some(taken(&at.command) + "\r"),
        Action::Boot(boot) => Some(taken(&boot.command) + "\r"),
        Action::Send(send) => Some(taken(&String::from_utf8_lossy(&send.bytes))),
        _ => None,
    }
}

/// A text as the module takes it: in capitals, and without the blanks and control characters that it passes over (ITU-T V.250).
fn taken(text: &str) -> String {
    text.chars().filter(|c| *c == '\r' || !(*c == ' ' || c.is_ascii_control())).map(|c| c.to_ascii_uppercase()).collect()
}

/// How a line may have begun when a step sends: each begin of a command that pieces, in whatever order, can leave at the end of a line.
fn open_lines(steps: &[&Step]) -> BTreeSet<String> {
    let pieces = steps.iter().filter_map(|step| sent(&step.action)).collect::<BTreeSet<_>>();
    let mut open = BTreeSet::from([String::new()]);
    let mut new = vec![String::new()];
    while let Some(begin) = new.pop() {
        for piece in &pieces {
            let line = format!("{begin}{piece}");
            let end = begin_of_command(&line);
            if open.insert(end.to_owned()) {
                new.push(end.to_owned());
            }
        }
    }
    open
}

/// The longest end of a line that is the begin of a command and not all of it.
fn begin_of_command(line: &str) -> &str {
    let begins = |rest: &str| COMMANDS.iter().any(|(command, _)| command.len() > rest.len() && command.starts_with(rest));
    line.char_indices().map(|(at, _)| &line[at..]).find(|rest| begins(rest)).unwrap_or_default()
}

/// The effects of a piece behind any of the lines that may be open.
fn of_piece(piece: &str, open: &BTreeSet<String>, add: &mut impl FnMut(Effect, String)) {
    for (command, effect) in COMMANDS {
        let sends = |begin: &String| {
            let line = format!("{begin}{piece}");
            // `AT+IPR=?` asks which speeds there are.
            line.match_indices(command).any(|(at, _)| !line[at + command.len()..].starts_with('?'))
        };
        if open.iter().any(sends) {
            add(*effect, format!("sends `AT{}`", command.trim_end_matches('=')));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::{Effect, derive};

    /// The effects of a case, each with its step.
    fn effects(body: &str) -> Vec<(u16, Effect)> {
        let text = format!("format: 1\nscenario: x\neffects: [speed, nvm, firmware, interrupt-upload, raw]\n{body}");
        let case = crate::scenario::load_text(Path::new("x.yaml"), &text, None).unwrap().cases.remove(0);
        derive(case.steps.iter().chain(&case.finally)).into_iter().map(|derived| (derived.step, derived.effect)).collect()
    }

    #[test]
    fn a_command_is_found_in_pieces_whatever_sends_them_and_in_whatever_order() {
        let (begin, end) = ("send: { text: AT+I }", "send: { text: \"PR=460800\\r\" }");
        for (steps, step) in [
            (format!("steps: [ {begin}, at: {{ command: PR=460800 }} ]"), 1),
            (format!("steps: [ {begin}, boot: {{ command: PR=460800, result: any }} ]"), 1),
            (format!("steps: [ {begin}, when: {{ value: a, is: b, steps: [ send: {{ text: \"\\r\" }} ] }}, {end} ]"), 3),
            (format!("steps: [ when: {{ value: a, is: b, steps: [ {begin} ], else: [ wait: 1 s ] }}, {end} ]"), 3),
            (format!("steps: [ wait: {{ for: 1 s, on: [ {{ text: A, steps: [ {end} ] }}, {{ text: B, steps: [ {begin} ] }} ] }} ]"), 1),
            (format!("steps: [ repeat: {{ times: 2, steps: [ {end}, {begin} ] }} ]"), 1),
            (format!("steps: [ retry: {{ times: 2, steps: [ {end}, {begin}, at: {{ command: AT }} ] }} ]"), 1),
            (format!("steps: [ {begin} ]\nfinally: [ {end} ]"), 1),
            ("steps: [ send: { text: AT+ }, send: { text: I }, send: { text: PR }, send: { text: = } ]".to_owned(), 3),
        ] {
            assert_eq!(effects(&steps), [(step, Effect::Speed)], "{steps}");
        }
        assert_eq!(effects("steps: [ send: { text: \"AT+I\\r\" }, send: { text: \"PR=460800\\r\" } ]"), [], "two lines");
    }

    #[test]
    fn blanks_in_a_command_are_passed_over() {
        for (command, effect) in [("AT+IPR =460800", Effect::Speed), ("AT + I P R = 460800", Effect::Speed), ("AT# NVM", Effect::Nvm)] {
            assert_eq!(effects(&format!("steps: [ at: {{ command: '{command}' }} ]")), [(0, effect)], "{command}");
            assert_eq!(effects(&format!("steps: [ send: {{ text: \"{command}\\r\" }} ]")), [(0, effect)], "{command}");
        }
        assert_eq!(effects("steps: [ send: { text: \"AT+I\\nPR=9600\\r\" } ]"), [(0, Effect::Speed)], "a line feed");
        assert_eq!(effects("steps: [ at: { command: 'AT+IPR = ?' } ]"), []);
    }

    #[test]
    fn an_upload_may_be_broken_off_by_whatever_a_handler_does_and_by_what_must_not_come() {
        let upload = |beside: &str| effects(&format!("steps: [ upload: {{ image: {{ make: {{ A: 2.8.0 }} }}, {beside} }} ]"));
        let handler = |step: &str| upload(&format!("on: [ {{ byte: 50 %, steps: [ note: half, {step} ] }} ]"));
        let broken_off = |effects: Vec<(u16, Effect)>| effects.contains(&(0, Effect::InterruptUpload));
        for step in ["uart: { baud: 9600 }", "send: { text: AT }", "line: { name: boot, pulse: 15 ms }"] {
            assert!(broken_off(handler(step)), "{step}");
        }
        assert!(broken_off(upload("never: [ { text: A } ]")));
        assert!(!broken_off(handler("note: so far")) && !broken_off(upload("within: 5 min")));
    }

    #[test]
    fn rounds_inside_of_rounds_are_read_once() {
        let nested = (0..20)
            .fold("send: { text: AT+I }, send: { text: PR= }".to_owned(), |steps, _| format!("retry: {{ times: 2, steps: [ {steps} ] }}"));
        let started = Instant::now();
        assert_eq!(effects(&format!("steps: [ {nested} ]")), [(21, Effect::Speed)]);
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    }
}
