// Security of pages with htmx: no eval, one Trusted Types policy, one socket (ours), nothing wakes in shared parts.
htmx.registerExtension('guard', {
  init(api) {
    const no = () => {
      throw new Error('eval is off');
    };
    const rules = { createHTML: (text) => text, createScript: () => '' };
    const policy = window.trustedTypes ? trustedTypes.createPolicy('htmx', rules) : null;
    api.initSecurity(policy, no, no);
  },
  htmx_ws_before_connection: (element) => element.id === 'feed',
  htmx_before_init: (element) => !element.closest('#summary,#body,#since'),
});
