//! The command line: what was typed ([`args`]) becomes what it means, and only that reaches the rest of the program.

mod args;
mod board;
mod check;
mod completions;
mod control;
mod diagnose;
mod doctor;
mod faults;
mod image;
mod man;
mod release;
mod require;
mod results;
mod run;
mod schema;
mod select;
mod signals;
mod talk;
mod virtual_board;

use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use args::{Cli, Command, Image};
use talk::Talk;

use crate::report::Exit;

/// Runs the program with the arguments of this process; what it returns is the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| told(error).exit());
    let talk = Talk::new(cli.color);
    let exit = match cli.command {
        Command::Run(args) => run::run(&args, &talk),
        Command::Diagnose(args) => diagnose::diagnose(&args, &talk),
        Command::Doctor(args) => doctor::doctor(&args, &talk),
        Command::Check(args) => check::check(&args, &talk),
        Command::List(args) => check::list(&args, &talk),
        Command::Release(args) => release::release(&args, &talk),
        Command::Board(args) => board::board(&args, &talk),
        Command::Virtual(args) => virtual_board::run(&args, &talk),
        Command::Control(args) => control::control(&args, &talk),
        Command::Settings(args) => virtual_board::settings(&args, &talk),
        Command::Faults(args) => faults::run(&args, &talk),
        Command::Image(Image::New(args)) => image::new(&args, &talk),
        Command::Image(Image::Show { file }) => image::show(&file, &talk),
        Command::Completions { shell } => completions::completions(shell, &talk),
        Command::Man { folder } => man::man(folder.as_deref(), &talk),
        Command::Schema { files } => schema::schema(files, &talk),
        Command::Guardian => return crate::line::guardian_main(),
    };
    exit.unwrap_or_else(|error| talk.error(&error)).into()
}

/// What is wrong with what was typed, with a tip that helps: of an option that is none, clap says how to pass it as a value.
fn told(mut error: clap::Error) -> clap::Error {
    let option = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(option))) => option.clone(),
        _ => return error,
    };
    let tip = match option.as_str() {
        "--set" => Some(
            "a scenario or a board of the bench sets a virtual board up (`virtual: { firmware: 2.6.0 }`), and `evkit-hil virtual` does by hand",
        ),
        "--fault" => {
            Some("`evkit-hil run` and `evkit-hil virtual` have it, and so has `virtual:` of a scenario or of a board of the bench")
        }
        _ => None,
    };
    match tip {
        Some(tip) => drop(error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]))),
        None => drop(error.remove(ContextKind::Suggested)),
    }
    error
}

/// A message that ends the command, with its exit code.
#[derive(Debug)]
struct Failure {
    message: String,
    hint: Option<String>,
    exit: Exit,
}

impl Failure {
    /// What the user can put right: a bad file or argument.
    fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, exit: Exit::Usage }
    }

    /// What a board was asked and does not do.
    fn refused(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, exit: Exit::Failed }
    }

    /// A fault of the rig.
    fn rig(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, exit: Exit::Rig }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
