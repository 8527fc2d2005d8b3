//! Settings that take one of several words.

use std::borrow::Cow;

use super::value::Value;

/// Declares a setting that takes one of several words.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant,)+];
        }

        impl Value for $name {
            fn expected() -> Cow<'static, str> {
                format!("one of {}", [$($word,)+].join(", ")).into()
            }

            fn words() -> &'static [&'static str] {
                &[$($word,)+]
            }

            fn read(text: &str) -> Option<Self> {
                match text { $($word => Some(Self::$variant),)+ _ => None }
            }

            fn show(&self) -> String {
                match self { $(Self::$variant => $word.to_owned(),)+ }
            }
        }
    };
}

choice! {
    /// At which speed the boot code listens after a reset.
    BootSpeed {
        /// 115200, whatever the application was set to.
        Default = "115200",
        /// The speed that the application would start with.
        Saved = "saved",
        /// The speed at which the application ran when it was reset.
        Current = "current",
    }
}

choice! {
    /// Whether the speed that `AT+IPR` set outlives a reset.
    SpeedOutlives {
        /// No: every start is at 115200.
        Never = "never",
        /// Once `AT#RESET=1` has saved it.
        Saved = "saved",
        /// Yes, at once.
        Always = "always",
    }
}

choice! {
    /// When the application's `#REBOOT_…` message comes.
    RebootMessage {
        /// Before `#SYSSTART`.
        First = "first",
        /// After `#SYSSTART`.
        AfterSysstart = "after-sysstart",
        /// After the answer to the first command.
        AfterFirstCommand = "after-first-command",
    }
}

choice! {
    /// What the application says of its start after the supply came on.
    PowerOnMessage {
        /// Nothing but `#SYSSTART`.
        None = "none",
        /// `#REBOOT_RESET`, as after a pulse of the reset line.
        Reset = "reboot-reset",
    }
}

choice! {
    /// When an upload's version is checked.
    VersionCheck {
        /// As soon as the header is there.
        Header = "header",
        /// When all of the image is there.
        End = "end",
    }
}

choice! {
    /// How many bytes of an image the device asks for at once.
    Chunks {
        /// As many as it may.
        Largest = "largest",
        /// Any number.
        Any = "any",
        /// Numbers that terminals and drivers take for control characters: 10, 13, 17, 19 and their like.
        ControlCharacters = "control-characters",
    }
}

choice! {
    /// How the application answers a command that it does not take, before `AT+CMEE` says otherwise.
    ErrorForm {
        /// `ERROR`
        Plain = "error",
        /// `+CME ERROR: n`
        Numbered = "cme-number",
        /// `+CME ERROR` alone
        Bare = "cme-bare",
    }
}

choice! {
    /// What a port says that is not the module's AT port.
    WrongPort {
        /// It is the right port.
        None = "none",
        /// Sentences of a satellite receiver.
        Nmea = "nmea",
        /// Lines of a debug log.
        Log = "log",
        /// Frames of no text.
        Binary = "binary",
    }
}

choice! {
    /// Which way bytes go that are lost, doubled or corrupted.
    DamageDirection {
        /// From the module to the host.
        ToHost = "to-host",
        /// From the host to the module.
        ToBoard = "to-board",
        /// Both ways.
        Both = "both",
    }
}

choice! {
    /// The name under which a port that vanished comes back.
    ReturnsAs {
        /// That of before.
        Same = "same",
        /// Another one.
        Other = "other",
    }
}
