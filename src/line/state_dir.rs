//! Where state lives that must outlive a crash: locks today.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The directory of the whole machine.
const SYSTEM: &str = "/var/lib/evkit-hil";

/// The directory for state that must outlive a crash. The first of these:
///
/// 1. `$EVKIT_HIL_STATE_DIR`;
/// 2. `/var/lib/evkit-hil`, when it exists or we are root: the one that all users of a machine share, so that two of them see each
///    other's locks;
/// 3. `$XDG_STATE_HOME/evkit-hil`;
/// 4. `~/.local/state/evkit-hil`;
/// 5. `/var/lib/evkit-hil` again, for a user without a home, who is then told that it cannot be made.
///
/// Nothing is created. An empty variable counts as absent, and so does a relative `$XDG_STATE_HOME` (as its specification says).
#[must_use]
pub fn state_dir() -> PathBuf {
    choose(|name| std::env::var_os(name), Path::new(SYSTEM).is_dir(), rustix::process::geteuid().is_root())
}

fn choose(variable: impl Fn(&str) -> Option<OsString>, system_exists: bool, root: bool) -> PathBuf {
    let path = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(chosen) = path("EVKIT_HIL_STATE_DIR") {
        return chosen;
    }
    if system_exists || root {
        return PathBuf::from(SYSTEM);
    }
    let xdg = path("XDG_STATE_HOME").filter(|p| p.is_absolute());
    let home = || path("HOME").map(|home| home.join(".local/state"));
    xdg.or_else(home).map_or_else(|| PathBuf::from(SYSTEM), |base| base.join("evkit-hil"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&[("EVKIT_HIL_STATE_DIR", "/srv/hil"), ("HOME", "/home/a")], true, true, "/srv/hil")]
    #[case(&[("EVKIT_HIL_STATE_DIR", ""), ("HOME", "/home/a")], false, false, "/home/a/.local/state/evkit-hil")]
    #[case(&[("HOME", "/home/a"), ("XDG_STATE_HOME", "/x")], true, false, "/var/lib/evkit-hil")]
    #[case(&[("HOME", "/root")], false, true, "/var/lib/evkit-hil")]
    #[case(&[("HOME", "/home/a"), ("XDG_STATE_HOME", "/x")], false, false, "/x/evkit-hil")]
    #[case(&[("HOME", "/home/a"), ("XDG_STATE_HOME", "x")], false, false, "/home/a/.local/state/evkit-hil")]
    #[case(&[], false, false, "/var/lib/evkit-hil")]
    fn the_first_that_applies(#[case] variables: &[(&str, &str)], #[case] system_exists: bool, #[case] root: bool, #[case] expected: &str) {
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
        assert_eq!(choose(variable, system_exists, root), Path::new(expected));
    }
}
