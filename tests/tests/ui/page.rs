//! What is on the page, waited for.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tether_tests::browser::Browser;
use tether_tests::eventually::eventually;

/// The page of a worker in a browser.
pub(super) struct Page {
    pub(super) browser: Browser,
    url: String,
}

impl Page {
    /// Opens the page of the worker with this base URL.
    pub(super) fn open(worker: &str) -> Result<Self> {
        let page = Self {
            browser: Browser::start()?,
            url: format!("{worker}/ui/"),
        };
        page.browser.open(&page.url)?;
        Ok(page)
    }

    /// Shows a view, such as `#/workers`.
    pub(super) fn go(&self, view: &str) -> Result<()> {
        self.browser.open(&format!("{}{view}", self.url))
    }

    /// The text of the first element that fits, as it is to be seen; an error if there
    /// is none.
    pub(super) fn text(&self, selector: &str) -> Result<String> {
        let text = self.browser.script(
            "return document.querySelector(arguments[0])?.innerText ?? null",
            &[json!(selector)],
        )?;
        ensure!(text.is_string(), "there is no {selector}");
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until a text is part of an element's.
    pub(super) fn shows(&self, selector: &str, text: &str) -> Result<String> {
        eventually(&format!("{selector} shows {text:?}"), || {
            let found = self.text(selector)?;
            ensure!(found.contains(text), "{found:?}");
            Ok(found)
        })
    }

    /// Waits until an expression is true; it says what it found otherwise.
    pub(super) fn holds(&self, expression: &str) -> Result<()> {
        eventually(expression, || {
            let found = self.value(expression)?;
            ensure!(found == json!(true), "{found}");
            Ok(())
        })
    }

    /// The value of an expression.
    pub(super) fn value(&self, expression: &str) -> Result<Value> {
        self.browser.script(&format!("return {expression}"), &[])
    }

    /// Clicks, once that is possible.
    pub(super) fn click(&self, selector: &str) -> Result<()> {
        eventually(&format!("{selector} can be clicked"), || {
            self.browser.click(selector)
        })
    }

    /// Fills in a field, once it is there.
    pub(super) fn fill(&self, selector: &str, text: &str) -> Result<()> {
        eventually(&format!("{selector} can be filled in"), || {
            self.browser.fill(selector, text)
        })
    }

    /// Says yes in the dialog that is open.
    pub(super) fn confirm(&self) -> Result<()> {
        self.click("dialog [data-confirm]")
    }

    /// A command of the connector that is shown, said yes to.
    pub(super) fn command(&self, action: &str) -> Result<()> {
        self.click(&format!("[data-action={action}]"))?;
        self.confirm()
    }

    /// The browser must have had nothing to complain about, such as a script or style
    /// that the page's own rules forbid.
    pub(super) fn is_calm(&self) -> Result<()> {
        let complaints = self.browser.complaints()?;
        ensure!(complaints.is_empty(), "{complaints:#?}");
        Ok(())
    }
}
