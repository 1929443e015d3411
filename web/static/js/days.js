// The day of a date field in words beside it: browsers write dates their own way, and 03/04 can be two days.
const inWords = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC',
});
const sayDay = (field) => {
  let said = field.nextElementSibling;
  if (!said?.matches('.day-said')) {
    said = document.createElement('span');
    said.className = 'day-said';
    said.ariaHidden = 'true';
    field.after(said);
  }
  said.textContent = field.valueAsDate ? inWords.format(field.valueAsDate).replace(',', '') : '';
};
const sayDays = () => document.querySelectorAll('input[type=date]').forEach(sayDay);
document.addEventListener('input', (event) => {
  if (event.target.matches('input[type=date]')) sayDay(event.target);
});
document.addEventListener('htmx:after:swap', sayDays);
sayDays();
