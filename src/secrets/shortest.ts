/** Shorter secrets occur in ordinary output by chance; hiding them would destroy it and give them away. */
export const shortestSecret = 6;
