// What stages share.

export const shout = (text: string): string => `${text.toUpperCase()}!`;
