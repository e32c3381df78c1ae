"""A real headless browser on the playground page."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.eventually import eventually

DRIVER = shutil.which("chromedriver")
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
MISSING = "Chromium and its driver are not installed (Debian: apt-get install chromium chromium-driver)"
PATIENCE = 5.0
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,800",
)


@contextmanager
def chromium() -> Iterator[Chrome]:
    """A browser with an empty profile."""
    options = Options()
    options.binary_location = BROWSER or ""
    with tempfile.TemporaryDirectory() as profile:
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = Chrome(options=options, service=Service(DRIVER))
        try:
            yield driver
        finally:
            driver.quit()


@dataclass(frozen=True, slots=True)
class Screen:
    """What a person sees and does; every look waits a few seconds at most."""

    driver: Chrome

    def visit(self, url: str, *, width: int = 1280, height: int = 800, scheme: str = "light") -> None:
        """Open the page as on a first visit, with a size and a colour scheme."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.get("about:blank")
        origin = "/".join(url.split("/")[:3])
        self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "local_storage"})
        self.driver.get(url)
        self.see(".message, .beginning")

    def see(self, selector: str, text: str = "") -> WebElement:
        """The first visible element of a selector that holds a text."""

        def found(driver: Chrome) -> WebElement | None:
            return next((e for e in driver.find_elements(By.CSS_SELECTOR, selector) if _shows(e, text)), None)

        try:
            element = WebDriverWait(self.driver, PATIENCE, 0.02).until(found)
        except TimeoutException:
            raise AssertionError(f"{selector} with {text!r} is not to be seen; the page shows: {self.text()}") from None
        assert element is not None
        return element

    def not_see(self, selector: str, text: str = "") -> None:
        """Wait until no element of a selector shows a text."""
        eventually(lambda: not any(_shows(e, text) for e in self.driver.find_elements(By.CSS_SELECTOR, selector)))

    def click(self, selector: str, text: str = "") -> None:
        """Click; an element that was drawn anew meanwhile is looked up again."""

        def clicked() -> bool:
            try:
                self.see(selector, text).click()
            except StaleElementReferenceException:
                return False
            return True

        eventually(clicked)

    def write(self, text: str) -> WebElement:
        """Type into the composer; a line feed sends."""
        box = self.see("#text")
        box.send_keys(text)
        return box

    def hover(self, selector: str, text: str = "") -> None:
        """Move the pointer onto an element."""
        ActionChains(self.driver).move_to_element(self.see(selector, text)).perform()

    def script(self, code: str, *arguments: Any) -> Any:
        """The result of JavaScript in the page."""
        return self.driver.execute_script(code, *arguments)

    def text(self) -> str:
        """All visible text."""
        return self.driver.find_element(By.TAG_NAME, "body").text

    def errors(self) -> list[str]:
        """What the browser complained about on the page of this server; earlier pages' complaints may come late."""
        origin = self.script("return location.origin")
        entries: list[dict[str, Any]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # selenium's own
        return [e["message"] for e in entries if e["level"] == "SEVERE" and origin in e["message"]]

    def save(self, path: Path) -> None:
        """A picture of the page."""
        self.driver.save_screenshot(str(path))


def _shows(element: WebElement, text: str) -> bool:
    try:
        return element.is_displayed() and text in element.text
    except StaleElementReferenceException:
        return False
