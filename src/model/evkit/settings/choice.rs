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
