//! `control`: one line to the control socket of a virtual board, and its answer.

use super::Failure;
use super::args::Control;
use super::talk::Talk;
use crate::link::{ControlClient, ControlError};
use crate::report::Exit;
use crate::runner::words::describe_error;

/// Sends the command and prints what is answered behind `ok`, if anything is.
pub(super) fn control(args: &Control, talk: &Talk) -> Result<Exit, Failure> {
    let line = line_of(&args.command);
    let answer = ControlClient::connect(&args.socket).and_then(|mut client| client.command(&line));
    let answer = answer.map_err(|error| refused(&error, args))?;
    if answer.is_empty() { Ok(Exit::Passed) } else { talk.data(&format!("{answer}\n")) }
}

/// The words as one line. Quotes that a shell has taken off are put back around a word with blanks in it; a single word is the line itself.
fn line_of(words: &[String]) -> String {
    if let [line] = words {
        return line.clone();
    }
    let quoted = |word: &String| {
        if word.contains(char::is_whitespace) && !word.contains('"') { format!("\"{word}\"") } else { word.clone() }
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

fn refused(error: &ControlError, args: &Control) -> Failure {
    let message = describe_error(error);
    match error {
        ControlError::Refused { .. } => Failure::refused(message),
        ControlError::NotALine { .. } => Failure::usage(message).hint("run `evkit-hil control` once for each line"),
        ControlError::Connect { .. } => Failure::rig(message)
            .hint(format!("start a virtual board there: evkit-hil virtual --link PATH --control {}", args.socket.display())),
        ControlError::System { .. } | ControlError::Deadline { .. } | ControlError::Closed { .. } | ControlError::Foreign { .. } => {
            Failure::rig(message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_a_line_that_means_the_same() {
        for (words, line) in [
            (&["state"][..], "state"),
            (&["reset", "assert"], "reset assert"),
            (&["reset assert"], "reset assert"),
            (&["setup", "seed=7", "boot-window=20 ms"], r#"setup seed=7 "boot-window=20 ms""#),
            (&["setup", r#"boot-window="20 ms""#], r#"setup boot-window="20 ms""#),
            (&[r#"setup boot-window="20 ms""#], r#"setup boot-window="20 ms""#),
        ] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(line_of(&words), line, "{words:?}");
        }
    }
}
