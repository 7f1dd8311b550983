// Streamlit closes its menu after a choice on phones only; in a narrow window it would stay over the page.
addEventListener("click", event => {
  if (innerWidth > 768 || !event.target.closest("[data-testid='stSidebarNavLink']")) return;
  setTimeout(() => {
    document.querySelector("[data-testid='stSidebar'][data-collapsed='false'] [data-testid='stSidebarCollapseButton'] button")?.click();
  }, 100);
});
