import { SWARM_PREFIX } from "../model/swarm-prefix.ts";

/** A container that asks has one of them in its config.json, whoever reads it: `mayAsk()` looks for no other. */
const NAMES = ["NVIDIA_VISIBLE_DEVICES", "CUDA_VERSION", "nvidia-container-devices", SWARM_PREFIX];

/** Whether the text of a config.json names GPUs at all. Without any of the names nobody can read it as asking. */
export const namesGpus = (text: string): boolean => NAMES.some((name) => text.includes(name));
