import AtSign from "@lucide/svelte/icons/at-sign";
import CirclePlay from "@lucide/svelte/icons/circle-play";
import FileText from "@lucide/svelte/icons/file-text";
import Globe from "@lucide/svelte/icons/globe";
import MessagesSquare from "@lucide/svelte/icons/messages-square";

// No marks of the platforms themselves: those are theirs, and five of them shout.
const ICONS: Readonly<Record<string, typeof Globe>> = {
	twitter: AtSign,
	youtube: CirclePlay,
	reddit: MessagesSquare,
	web: Globe,
	files: FileText,
};

/** What stands for a platform beside its name. */
export const platformIcon = (platform: string): typeof Globe => ICONS[platform] ?? Globe;
