/** What the name of every variable that Docker swarm sets for a generic resource starts with. */
export const SWARM_PREFIX = "DOCKER_RESOURCE_";
