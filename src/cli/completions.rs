//! `completions`: what a shell needs to complete what is typed.

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::Failure;
use super::args::Cli;
use super::talk::Talk;
use crate::report::Exit;

/// Prints the completions for a shell.
pub(super) fn completions(shell: Shell, talk: &Talk) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut shown(), env!("CARGO_PKG_NAME"), &mut script);
    talk.data(&String::from_utf8_lossy(&script).replace(OF_SUBCOMMANDS, OF_PROGRAM))
}

/// clap_complete 4.6.11 calls a program with a dash in its name so where a bash script looks a subcommand up, and so where it says which one it is; no other script has either.
const OF_SUBCOMMANDS: &str = "evkit__subcmd__hil__subcmd__";
const OF_PROGRAM: &str = "evkit__hil__subcmd__";

/// The command line without what is hidden: the scripts would offer that as well.
fn shown() -> Command {
    let full = Cli::command();
    Command::new(env!("CARGO_PKG_NAME"))
        .version(env!("CARGO_PKG_VERSION"))
        .args(full.get_arguments().cloned())
        .subcommands(full.get_subcommands().filter(|command| !command.is_hide_set()).cloned())
}
