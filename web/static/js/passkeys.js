// Passkeys: signing in by one, offered by the browser where an address is typed and by a button, and adding one.
// Without scripts, or where the browser has none, the button stays hidden and links sign in as ever.
const WORD = 180000; // ms after which the challenge beneath the browser's own offer is asked for anew
const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (letter) => letter.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

const ask = async (path, headers = {}) => {
  const answer = await fetch(path, { method: 'POST', headers });
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.json();
};

const signed = (credential) => JSON.stringify({
  id: credential.id,
  rawId: text(credential.rawId),
  type: credential.type,
  clientExtensionResults: {},
  response: {
    clientDataJSON: text(credential.response.clientDataJSON),
    authenticatorData: text(credential.response.authenticatorData),
    signature: text(credential.response.signature),
    userHandle: credential.response.userHandle ? text(credential.response.userHandle) : '',
  },
});

const made = (credential) => JSON.stringify({
  id: credential.id,
  rawId: text(credential.rawId),
  type: credential.type,
  clientExtensionResults: {},
  response: {
    clientDataJSON: text(credential.response.clientDataJSON),
    attestationObject: text(credential.response.attestationObject),
    transports: credential.response.getTransports ? credential.response.getTransports() : [],
  },
});

let offer = null; // what aborts the browser's own offer

const get = async (mediation, signal) => {
  const options = await ask('/sign-in/passkey/begin');
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: named(options.allowCredentials),
  };
  return navigator.credentials.get({ publicKey, mediation, signal });
};

const enter = async (place, credential) => {
  const keep = place.querySelector('input[name=keep]')?.checked ? 'yes' : '';
  const body = new URLSearchParams({ credential: signed(credential), to: place.dataset.to, keep });
  const answer = await fetch('/sign-in/passkey', { method: 'POST', body });
  const said = await answer.json();
  if (answer.ok) location.assign(said.to);
  else place.querySelector('[role=status]').textContent = said.told;
  return answer.ok;
};

const offered = async (place) => {
  const field = document.querySelector('input[autocomplete~=webauthn]');
  if (!field || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  offer?.abort();
  const mine = (offer = new AbortController());
  const again = setTimeout(() => offered(place), WORD);
  try {
    const credential = await get('conditional', mine.signal);
    clearTimeout(again);
    if (credential && !(await enter(place, credential))) offered(place);
  } catch {
    clearTimeout(offer === mine ? undefined : again); // aborted for the button, or there is none to offer
  }
};

const pressed = async (place) => {
  const told = place.querySelector('[role=status]');
  told.textContent = '';
  offer?.abort();
  offer = null;
  let credential = null;
  try {
    credential = await get('optional');
  } catch (error) {
    told.textContent = error.name === 'NotAllowedError' ? told.dataset.cancelled : told.dataset.away;
  }
  try {
    if (credential && (await enter(place, credential))) return;
  } catch {
    told.textContent = told.dataset.away;
  }
  offered(place);
};

const add = async (form) => {
  const told = form.querySelector('[role=status]');
  told.textContent = '';
  try {
    const options = await ask('/me/passkeys/begin', { 'x-fanlight-form': form.elements.csrf.value });
    const publicKey = {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: named(options.excludeCredentials),
    };
    form.elements.credential.value = made(await navigator.credentials.create({ publicKey }));
    form.submit();
  } catch (error) {
    told.textContent = told.dataset[{ NotAllowedError: 'cancelled', InvalidStateError: 'there' }[error.name] || 'away'];
  }
};

document.addEventListener('DOMContentLoaded', () => {
  if (!window.PublicKeyCredential) return;
  for (const place of document.querySelectorAll('[data-passkey]')) {
    place.hidden = false;
    if (place.dataset.passkey === 'add') {
      place.addEventListener('submit', (event) => {
        event.preventDefault();
        add(place);
      });
    } else {
      place.querySelector('button').addEventListener('click', () => pressed(place));
      offered(place);
    }
  }
  for (const instead of document.querySelectorAll('[data-no-passkey]')) instead.hidden = true;
});
