//! What `junit-report` does not write, added to its output: counts of the whole, the count of what was skipped, each case's line and properties, and its other tries.

use std::time::Duration;

use quick_xml::events::{BytesCData, BytesEnd, BytesStart, Event};
use quick_xml::{Reader, Writer};

use crate::report::{CaseReport, ReportError, RunReport, escape};
use crate::timeline::event::Outcome;

/// What is to be added, in the order in which suites and cases are written.
#[derive(Debug)]
pub(super) struct Gaps {
    tests: usize,
    failures: usize,
    errors: usize,
    time: Duration,
    skipped: Vec<usize>,
    cases: Vec<CaseGaps>,
}

#[derive(Debug)]
struct CaseGaps {
    line: Option<u32>,
    properties: Vec<(String, String)>,
    tries: Vec<Try>,
}

/// A try of a case beside the one that its element tells of.
#[derive(Debug)]
pub(super) struct Try {
    pub(super) element: Element,
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) trace: String,
    pub(super) output: String,
}

/// The name of a try's element.
#[derive(Debug, Clone, Copy)]
pub(super) enum Element {
    /// It failed, and a later one passed.
    FlakyFailure,
    /// It failed, and none passed.
    RerunFailure,
}

impl Element {
    /// That of one try of `case`. A try that another followed failed: nothing else is tried again.
    pub(super) fn of(case: &CaseReport) -> Self {
        if case.is_flaky() { Self::FlakyFailure } else { Self::RerunFailure }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::FlakyFailure => "flakyFailure",
            Self::RerunFailure => "rerunFailure",
        }
    }
}

impl Gaps {
    pub(super) fn new(run: &RunReport) -> Self {
        let boards = run.told_of_boards();
        let passed = |report: Option<&CaseReport>| report.is_some_and(|report| report.outcome() == Outcome::Passed);
        let bad_boards = boards.iter().filter(|(report, given_up)| given_up.is_some() || !passed(*report)).count();
        Self {
            tests: run.cases.len() + boards.len() + run.missing.len(),
            failures: run.count(Outcome::Failed),
            errors: run.count(Outcome::Error) + run.count(Outcome::Interrupted) + bad_boards + run.missing.len(),
            time: run.shown_duration(),
            skipped: Vec::new(),
            cases: Vec::new(),
        }
    }

    /// Notes the next case.
    pub(super) fn case(&mut self, line: impl Into<Option<u32>>, properties: Vec<(String, String)>, tries: Vec<Try>) {
        self.cases.push(CaseGaps { line: line.into(), properties, tries });
    }

    /// Notes the next suite.
    pub(super) fn suite(&mut self, skipped: usize) {
        self.skipped.push(skipped);
    }

    /// `xml`, which `junit-report` wrote, with the gaps mended, indented by two.
    pub(super) fn mend(self, xml: &[u8]) -> Result<Vec<u8>, ReportError> {
        let mut reader = Reader::from_reader(xml);
        let mut writer = Writer::new_with_indent(Vec::with_capacity(xml.len() * 2), b' ', 2);
        let (mut skipped, mut cases) = (self.skipped.iter(), self.cases.iter());
        // Those of the case that is open, until they are written.
        let mut tries: &[Try] = &[];
        loop {
            let event = reader.read_event()?;
            // A case that passed without a transcript is an empty element; with its properties it no longer is.
            let (mut element, empty) = match event {
                Event::Start(element) => (element, false),
                Event::Empty(element) => (element, true),
                Event::End(element) if element.name().as_ref() == b"testcase" => {
                    write_tries(std::mem::take(&mut tries), &mut writer)?;
                    write(&mut writer, Event::End(element))?;
                    continue;
                }
                Event::Eof => break,
                event => {
                    write(&mut writer, event)?;
                    continue;
                }
            };
            match element.name().as_ref() {
                b"testsuites" => self.push_totals(&mut element),
                b"testsuite" => {
                    if let Some(skipped) = skipped.next() {
                        element.push_attribute(("skipped", skipped.to_string().as_str()));
                    }
                }
                b"testcase" => {
                    if let Some(case) = cases.next() {
                        case.write_start(element, &mut writer)?;
                        tries = &case.tries;
                        if empty {
                            write_tries(std::mem::take(&mut tries), &mut writer)?;
                            write(&mut writer, Event::End(BytesEnd::new("testcase")))?;
                        }
                        continue;
                    }
                }
                b"system-out" => write_tries(std::mem::take(&mut tries), &mut writer)?,
                _ => {}
            }
            write(&mut writer, if empty { Event::Empty(element) } else { Event::Start(element) })?;
        }
        let mut text = writer.into_inner();
        text.push(b'\n');
        Ok(text)
    }

    fn push_totals(&self, testsuites: &mut BytesStart<'_>) {
        testsuites.push_attribute(("name", env!("CARGO_PKG_NAME")));
        testsuites.push_attribute(("tests", self.tests.to_string().as_str()));
        testsuites.push_attribute(("failures", self.failures.to_string().as_str()));
        testsuites.push_attribute(("errors", self.errors.to_string().as_str()));
        testsuites.push_attribute(("time", format!("{:.6}", self.time.as_secs_f64()).as_str()));
    }
}

impl CaseGaps {
    /// Writes the start of a test case, with its line, and its properties, which stand first in it.
    fn write_start(&self, mut testcase: BytesStart<'_>, writer: &mut Writer<Vec<u8>>) -> Result<(), ReportError> {
        if let Some(line) = self.line {
            testcase.push_attribute(("line", line.to_string().as_str()));
        }
        write(writer, Event::Start(testcase))?;
        write(writer, Event::Start(BytesStart::new("properties")))?;
        for (name, value) in &self.properties {
            let property = BytesStart::new("property");
            let attributes = [("name", escape::text(name)), ("value", escape::text(value))];
            let property = property.with_attributes(attributes.iter().map(|(name, value)| (*name, value.as_ref())));
            write(writer, Event::Empty(property))?;
        }
        write(writer, Event::End(BytesEnd::new("properties")))
    }
}

/// Writes tries as surefire's schema has them.
fn write_tries(tries: &[Try], writer: &mut Writer<Vec<u8>>) -> Result<(), ReportError> {
    for one in tries {
        let start = BytesStart::new(one.element.name());
        write(writer, Event::Start(start.with_attributes([("message", one.message.as_str()), ("type", one.kind.as_str())])))?;
        for (name, text) in [("stackTrace", &one.trace), ("system-out", &one.output)] {
            write(writer, Event::Start(BytesStart::new(name)))?;
            write(writer, Event::CData(BytesCData::new(escape::cdata(text))))?;
            write(writer, Event::End(BytesEnd::new(name)))?;
        }
        write(writer, Event::End(BytesEnd::new(one.element.name())))?;
    }
    Ok(())
}

fn write(writer: &mut Writer<Vec<u8>>, event: Event<'_>) -> Result<(), ReportError> {
    writer.write_event(event).map_err(|error| ReportError::Xml(error.into()))
}
