// A plan that is sent: told before that it is too large, and how much of it went. Without this the form does the same.
{
  const form = document.querySelector('form[data-upload]');
  const input = form?.querySelector('input[type="file"]');
  const wrong = document.getElementById('plan-wrong');

  const say = (sentence) => {
    wrong.textContent = sentence;
    wrong.hidden = !sentence;
    form.querySelector('.field').classList.toggle('wrong', Boolean(sentence));
    if (sentence) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
  };
  const tooLarge = () => input.files[0]?.size > Number(form.dataset.most);
  const look = () => say(tooLarge() ? form.querySelector('[data-too-large]').content.textContent : '');

  const send = () => {
    const request = new XMLHttpRequest();
    const button = form.querySelector('button');
    const sent = form.querySelector('[data-sent]');
    const show = (percent) => {
      sent.querySelector('progress').value = percent;
      sent.querySelector('output').value = percent;
    };
    const going = (is) => {
      button.disabled = is;
      sent.hidden = !is;
    };
    request.upload.onprogress = (told) => told.lengthComputable && show(Math.floor((100 * told.loaded) / told.total));
    request.onload = () => {
      if (request.status === 200 && request.responseURL.startsWith(`${form.action}/`)) {
        location.assign(request.responseURL);
        return;
      }
      going(false);
      const sentence = request.responseXML?.getElementById('plan-wrong')?.textContent;
      if (sentence) say(sentence);
      else form.submit(); // the page that says what else is wrong
    };
    request.onerror = () => {
      going(false);
      form.submit();
    };
    request.responseType = 'document';
    request.open('POST', form.action);
    show(0);
    going(true);
    request.send(new FormData(form));
  };

  if (form) {
    input.addEventListener('change', look);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      look();
      if (tooLarge()) input.focus();
      else send();
    });
  }
}
