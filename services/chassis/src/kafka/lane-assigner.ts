import { AssignerProtocol, type PartitionAssigner } from 'kafkajs';

const name = 'evenkeel-lanes';

/** Gives partition p of all topics to one member. Throws where the topics differ in their partition count. */
export const laneAssigner: PartitionAssigner = ({ cluster }) => ({
  name,
  version: 1,
  async assign({ members, topics }) {
    const counts = topics.map((topic) => cluster.findTopicPartitionMetadata(topic).length);
    const lanes = counts[0] ?? 0;
    if (counts.some((count) => count !== lanes))
      throw new Error(
        `The topics ${topics.join(', ')} have ${counts.join(', ')} partitions: those of one group must have the same number.`,
      );
    const owners = members.map(({ memberId }) => memberId).toSorted();
    return owners.map((memberId, owner) => {
      const mine = Array.from({ length: lanes }, (_, lane) => lane).filter((lane) => lane % owners.length === owner);
      const assignment = Object.fromEntries(topics.map((topic) => [topic, mine]));
      return {
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 1, assignment, userData: Buffer.alloc(0) }),
      };
    });
  },
  protocol: ({ topics }) => ({ name, metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData: Buffer.alloc(0) }) }),
});
