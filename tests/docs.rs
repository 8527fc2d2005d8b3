//! Every YAML block of the documentation loads: blocks with `boards:` as bench files, all others as scenarios. And the reference leaves nothing out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod boards;

use std::path::{Path, PathBuf};

use evkit_hil::bench::Bench;
use evkit_hil::diagnosis::Cause;
use evkit_hil::document::Diagnostic;
use evkit_hil::model::evkit::Settings;
use evkit_hil::plan::{Anchor, Effect};
use evkit_hil::report::CaseReport;
use evkit_hil::scenario;
use evkit_hil::timeline::event::Outcome;

/// A YAML block, behind as many empty lines as come before it in its file: complaints then name the file's own lines.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut inside: Option<String> = None;
    for (number, line) in text.lines().enumerate() {
        match (&mut inside, line.trim_end()) {
            (None, "```yaml") => inside = Some("\n".repeat(number + 1)),
            (Some(_), "```") => blocks.extend(inside.take()),
            (Some(block), line) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    assert!(inside.is_none(), "a block that does not end");
    blocks
}

fn documents() -> Vec<PathBuf> {
    let mut files = std::fs::read_dir("docs")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect::<Vec<_>>();
    files.extend(Some(PathBuf::from("README.md")).filter(|readme| readme.exists()));
    files.sort();
    files
}

fn load(file: &Path, block: &str) -> Result<(), Vec<Diagnostic>> {
    let is_bench = block.lines().any(|line| line.starts_with("boards:"));
    if is_bench { Bench::load_text(file, block).map(drop) } else { scenario::load_text(file, block, None).map(drop) }
}

#[test]
fn every_yaml_block_loads() {
    let mut loaded = 0;
    let mut refused = Vec::new();
    for file in documents() {
        for block in blocks(&std::fs::read_to_string(&file).unwrap()) {
            match load(&file, &block) {
                Ok(()) => loaded += 1,
                Err(problems) => refused.extend(problems),
            }
        }
    }
    assert!(refused.is_empty(), "{}", Diagnostic::render_all(&refused, false));
    assert!(loaded >= 14, "only {loaded} blocks were found");
}

#[test]
fn every_example_of_a_scenario_passes_on_a_healthy_virtual_board() {
    let mut cases = Vec::new();
    for file in documents() {
        for block in blocks(&std::fs::read_to_string(&file).unwrap()) {
            if let Ok(plan) = scenario::load_text(&file, &block, None) {
                cases.extend(plan.cases);
            }
        }
    }
    assert!(cases.len() >= 12, "only {} cases were found", cases.len());
    let folder = tempfile::tempdir().unwrap();
    for timeline in boards::simulated(&cases, 0, folder.path()) {
        let report = CaseReport::read(&timeline).unwrap();
        assert_eq!(report.outcome(), Outcome::Passed, "{}:{}: {:?}", report.case.file, report.case.line, report.verdict);
    }
}

#[test]
fn the_settings_of_the_virtual_board_are_listed_as_they_are() {
    let mut table = String::from("| setting | kind | default | takes | a seed draws | meaning |\n| --- | --- | --- | --- | --- | --- |\n");
    let cell = |text: &str| text.replace('|', "\\|");
    for setting in Settings::describe() {
        let drawn = setting.drawn.as_deref().map_or_else(|| "-".to_owned(), cell);
        let (takes, meaning) = (cell(&setting.takes), cell(setting.meaning));
        table.push_str(&format!("| `{}` | {} | `{}` | {takes} | {drawn} | {meaning} |\n", setting.name, setting.kind, setting.default));
    }
    let text = format!(
        "# Settings of the virtual EVKIT\n\nGenerated from the table in src/model/evkit/settings: `SNAPSHOTS=overwrite cargo test --test docs`.\n\n{table}"
    );
    snapbox::Assert::new().action_env("SNAPSHOTS").eq(text, snapbox::file!["../docs/settings.md"].raw());
}

#[test]
fn the_reference_shows_every_verb_and_names_every_word() {
    let text = std::fs::read_to_string("docs/scenarios.md").unwrap();
    for verb in scenario::VERBS {
        let section = text.split(&format!("\n### {verb}\n")).nth(1).unwrap_or_else(|| panic!("no section for `{verb}`"));
        let example = section.split("\n### ").next().and_then(|section| blocks(section).into_iter().next());
        let example = example.unwrap_or_else(|| panic!("no example for `{verb}`"));
        assert!(example.contains(&format!("- {verb}:")), "the example for `{verb}` does not use it");
    }
    let words = Effect::ALL
        .iter()
        .map(|effect| effect.name())
        .chain(Cause::ALL.iter().map(|cause| cause.name()))
        .chain(Anchor::ALL.iter().map(|anchor| anchor.name()));
    for word in words {
        assert!(text.contains(&format!("`{word}`")), "`{word}` is not in the reference");
    }
}

#[test]
fn complaints_about_a_block_name_the_line_of_its_file() {
    let text = "# Title\n\nwords\n\n```yaml\nformat: 1\nscenario: here\nsteps:\n  - wait: 300\n```\n";
    let problems = load(Path::new("docs/x.md"), &blocks(text)[0]).unwrap_err();
    assert_eq!(problems[0].excerpt.as_ref().unwrap().line, 9);
}
