//! How often a case can restart the module at most: each time it starts, its application registers with the network anew.

use super::{Action, Case, Handler, Handshake, Reset, Rounds, Step, Strategy, Trigger};

/// Commands that restart the module: `AT#BOOT` and `AT#LDRST` (source: Easy Connect), `AT#RESET=1` (source: mbed), and `AT+CFUN=n,1` (3GPP TS 27.007).
const COMMANDS: &[&str] = &["#BOOT", "#LDRST", "#RESET", ",1"];

/// Tries of the strategy `st`, with a reset before each, and sendings of a boot command (source: Easy Connect).
const ST_TRIES: u32 = 3;

impl Case {
    /// How often the case can restart the module at most, `finally` and the putting back included.
    #[must_use]
    pub fn most_restarts(&self) -> u32 {
        let put_back = u32::from(!self.finally.iter().any(|step| matches!(step.action, Action::Restore(_))));
        of_list(&self.steps).saturating_add(of_list(&self.finally)).saturating_add(put_back)
    }
}

fn of_list(steps: &[Step]) -> u32 {
    let of_step = |step: &Step| step.beside.handlers.iter().map(of_handler).fold(step.action.most_restarts(), u32::saturating_add);
    steps.iter().map(of_step).fold(0, u32::saturating_add)
}

/// Nobody knows how often a pattern comes.
fn of_handler(handler: &Handler) -> u32 {
    match (of_list(&handler.steps), &handler.trigger) {
        (0, _) => 0,
        (restarts, Trigger::Sent(_)) => restarts,
        (_, Trigger::Pattern(_)) => u32::MAX,
    }
}

impl Action {
    /// How often the action can restart the module at most. Errs on the side of more: a command is looked for anywhere in what is sent.
    #[must_use]
    pub fn most_restarts(&self) -> u32 {
        match self {
            Self::Reset(Reset::Hold(crate::seam::LineState::Released))
            | Self::Uart { .. }
            | Self::Expect(_)
            | Self::ExpectEdge(_)
            | Self::Line(_)
            | Self::Quiet(_)
            | Self::Wait { .. }
            | Self::Diagnosis(_)
            | Self::Check(_)
            | Self::Measure(_)
            | Self::Note(_)
            | Self::All(_)
            | Self::Any(_) => 0,
            Self::Retry(retry) => of_list(&retry.steps).saturating_mul(retry.times),
            Self::Repeat(repeat) => match (of_list(&repeat.steps), repeat.rounds) {
                (0, _) => 0,
                (restarts, Rounds::Times(times)) => restarts.saturating_mul(times),
                // Nobody knows how many rounds there are.
                (_, Rounds::For(_)) => u32::MAX,
            },
            Self::When(when) => of_list(&when.steps).max(of_list(&when.otherwise)),
            // A refused or accepted image may be followed by a restart. A supply that is off is switched on by whoever puts the module back, who may reset it, too.
            Self::Reset(_) | Self::Power(_) | Self::Upload(_) => 1,
            Self::Restore(restore) => u32::from(restore.may_reset),
            Self::Send(send) => restarts_in(&String::from_utf8_lossy(&send.bytes)),
            Self::At(at) => restarts_in(&at.command).saturating_mul(at.tries),
            Self::Boot(boot) => restarts_in(&boot.command).saturating_mul(ST_TRIES),
            Self::Handshake(Handshake { pulse: None, strategy: Strategy::Repeat { .. }, .. }) => 0,
            Self::Handshake(Handshake { strategy: Strategy::Repeat { .. }, .. }) => 1,
            Self::Handshake(Handshake { strategy: Strategy::St, .. }) => ST_TRIES,
        }
    }
}

fn restarts_in(text: &str) -> u32 {
    let upper = text.to_ascii_uppercase().replace(' ', "");
    let count = |command: &str| match command {
        ",1" => upper.split(['\r', ';']).filter(|command| command.contains("+CFUN=") && command.ends_with(",1")).count(),
        command => upper.matches(command).count(),
    };
    COMMANDS.iter().map(|command| u32::try_from(count(command)).unwrap_or(u32::MAX)).fold(0, u32::saturating_add)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn restarts_are_counted_at_their_most() {
        let text = "format: 1\nscenario: x\neffects: [nvm, raw, speed]\nsteps:\n  - reset: { pulse: 15 ms }\n  - reset: assert\n  - reset: release\n  - handshake: { strategy: st }\n  - boot: { command: 'AT#BOOT', result: any }\n  - at: { command: 'AT#RESET=1', tries: 2 }\n  - send: { text: \"AT+CFUN=1,1\\rAT+CFUN=1\\r\" }\n  - at: { command: AT }\n";
        let most = |text: &str| crate::scenario::load_text(Path::new("x.yaml"), text, None).unwrap().cases[0].most_restarts();
        // 1 pulse, 1 hold, 3 tries, 3 sendings, 2 tries, 1 command, and the putting back.
        assert_eq!(most(text), 1 + 1 + 3 + 3 + 2 + 1 + 1);
        assert_eq!(most(&format!("{text}finally:\n  - restore:\n")), 1 + 1 + 3 + 3 + 2 + 1 + 1);
        let most_of = |steps: &str| most(&format!("format: 1\nscenario: x\nsteps: [ {steps} ]\nfinally: [ restore: ]\n"));
        assert_eq!((most_of("restore:"), most_of("restore: { reset: false }")), (1 + 1, 1));
        let pulse = "steps: [ reset: { pulse: 15 ms } ]";
        assert_eq!(most_of(&format!("retry: {{ times: 3, steps: [ repeat: {{ times: 5, {pulse} }} ] }}")), 15 + 1);
        assert_eq!(most_of(&format!("repeat: {{ for: 1 min, {pulse} }}")), u32::MAX);
        assert_eq!(most_of("repeat: { for: 1 min, steps: [ wait: 1 s ] }"), 1);
        assert_eq!(most_of(&format!("wait: {{ for: 1 s, on: [ {{ text: A, {pulse} }} ] }}")), u32::MAX);
        assert_eq!(most_of(&format!("when: {{ value: a, is: b, {pulse}, else: [ handshake: {{ strategy: st }} ] }}")), 3 + 1);
        assert_eq!(most_of("at: { command: 'AT+CFUN = 1, 1;+CSQ' }, at: { command: 'AT+CFUN=1;+CSQ' }"), 1 + 1, "a command among others");
        let text = "format: 1\nscenario: x\neffects: [power]\nsteps: [ power: off ]\nfinally: [ restore: ]\n";
        assert_eq!(most(text), 1 + 1, "switched on, and reset where it does not answer then");
    }
}
