//! Which cause each fault must be named by, or that a case must pass all the same.

use std::fmt;

use crate::diagnosis::Cause;

/// What must become of a case in which a fault acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It fails, and this cause is named.
    Cause(Cause),
    /// It passes: a good scenario is not disturbed by it.
    Tolerated,
}

impl Expected {
    /// The cause, where one must be named.
    #[must_use]
    pub const fn cause(self) -> Option<Cause> {
        match self {
            Self::Cause(cause) => Some(cause),
            Self::Tolerated => None,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cause(cause) => cause.fmt(f),
            Self::Tolerated => f.write_str("tolerated"),
        }
    }
}

/// What must become of a case in which the fault of this name acted; `None` for a name that is no fault's.
#[must_use]
pub fn expected(fault: &str) -> Option<Expected> {
    let cause = match fault {
        "no-power" | "mute" => Cause::NothingCame,
        "wrong-port" => Cause::WrongPort,
        "ignores-reset" => Cause::ResetWithoutEffect,
        "stuck-in-reset" => Cause::LineStuck,
        "ignores-wake" | "sleeps-after" => Cause::Asleep,
        "ignores-power" | "parasitic-power" => Cause::PowerWithoutEffect,
        "deaf" => Cause::TalksButDoesNotHear,
        "echo-only" => Cause::EchoOnly,
        "left-at-speed" | "speed-not-restorable" => Cause::WrongSpeed,
        "lost-bytes" | "doubled-bytes" | "corrupted-bytes" => Cause::LineNoise,
        "port-vanishes" => Cause::PortLost,
        "window-too-short" | "window-too-late" | "no-acknowledge" | "interruption-locks" => Cause::NotAcknowledged,
        "silent-after-acknowledge" => Cause::AcknowledgedSilent,
        "boot-garbles" | "application-garbles" => Cause::Garbage,
        "does-not-restart" | "dead-after-refusal" | "application-dead" => Cause::DoesNotStart,
        "accepts-downgrade" => Cause::AcceptedLower,
        "accepts-wrong-key" => Cause::AcceptedWrongKey,
        "accepts-corrupt" => Cause::AcceptedDamaged,
        "refuses-same-version" | "refuses-at-header" | "refuses-at-end" => Cause::Refused,
        "keeps-old-version" | "loses-version" | "reports-version" => Cause::VersionNotAsInstalled,
        "upload-ends-early" => Cause::UploadProtocol,
        "upload-stalls" => Cause::UploadStalled,
        "still-booting" => Cause::StillStarting,
        "shuts-down-after" | "hangs-when-misframed" => Cause::ShutDown,
        "application-silent" => Cause::ApplicationHangs,
        "watchdog-after" | "resets-itself" => Cause::UncommandedReset,
        "break-at-start"
        | "noise-at-start"
        | "interruption-erases"
        | "asks-past-end"
        | "first-command-lost"
        | "unsolicited"
        | "energy-lines"
        | "late-reboot-message"
        | "bare-cme-error"
        | "reset-command-unanswered" => return Some(Expected::Tolerated),
        _ => return None,
    };
    Some(Expected::Cause(cause))
}

#[cfg(test)]
mod tests {
    use super::expected;
    use crate::model::evkit::Fault;

    #[test]
    fn every_fault_is_mapped() {
        for fault in Fault::ALL {
            assert!(expected(fault.name).is_some(), "{}", fault.name);
        }
        assert_eq!(expected("no-such-fault"), None);
    }
}
