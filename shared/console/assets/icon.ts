/** Three layers, the upper one locked. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f5fbf"/><g fill="none" stroke="#fff" stroke-width="2.6" stroke-linejoin="round"><path d="M16 6l9 4.5-9 4.5-9-4.5z" fill="#fff"/><path d="M7 16l9 4.5 9-4.5M7 21.500l9 4.500 9-4.500"/></g></svg>`;
