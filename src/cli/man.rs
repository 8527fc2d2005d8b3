//! `man`: manual pages in roff, one for each command.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::Failure;
use super::args::Cli;
use super::talk::Talk;
use crate::report::Exit;

/// Prints the page of the program, or writes those of all commands into a folder. **Replaces pages that are there.**
pub(super) fn man(folder: Option<&Path>, talk: &Talk) -> Result<Exit, Failure> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let Some(folder) = folder else {
        let (_, page) = page(&program).map_err(|error| Failure::rig(format!("the page cannot be made: {error}")))?;
        return talk.data(&page);
    };
    let mut commands = vec![&program];
    let mut written = 0;
    let unwritten = |error: io::Error| Failure::usage(format!("pages cannot be written into {}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(unwritten)?;
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands().filter(|command| !command.is_hide_set()));
        let (name, page) = page(command).map_err(unwritten)?;
        fs::write(folder.join(name), page).map_err(unwritten)?;
        written += 1;
    }
    talk.say(&format!("{written} pages in {}", folder.display()));
    Ok(Exit::Passed)
}

/// The file name and the text of a command's page.
fn page(command: &Command) -> io::Result<(String, String)> {
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.get_subcommands().any(|command| !command.is_hide_set()) {
        man.render_subcommands_section(&mut page)?;
    }
    examples(command).to_writer(&mut page)?;
    Ok((man.get_filename(), String::from_utf8_lossy(&page).into_owned()))
}

/// What stands below the options in `--help`: each unindented line with a colon at its end heads a section, whose lines stay as they are.
fn examples(command: &Command) -> Roff {
    let mut roff = Roff::default();
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    for block in text.split("\n\n") {
        let mut lines = block.lines().peekable();
        if let Some(heading) = lines.next_if(|line| line.ends_with(':') && !line.starts_with(' ')) {
            roff.control("SH", [heading.trim_end_matches(':').to_uppercase().as_str()]);
        }
        roff.control("nf", []);
        for line in lines {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    roff
}
