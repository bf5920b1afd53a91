// No secret of a session stays in memory that is freed.
#include <utility>

#include "negotiation/stored_session.h"
#include "support/allocations.h"
#include "support/resumption.h"

namespace sluice::dtls {
namespace {

using handshake::StoredSession;
using test::counted;

// Counts the freed blocks with a secret while it lives.
class Watch {
 public:
  explicit Watch(Bytes secret) : secret_(secret.begin(), secret.end()) {
    test::watch_freed_blocks(secret_);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { test::watch_freed_blocks({}); }

  [[nodiscard]] static std::uint64_t found() { return test::secrets_freed(); }

 private:
  Buffer secret_;
};

// Or the other tests could not fail.
TEST(SecretMemory, ACopyInAFreedBlockIsFound) {
  Buffer secret = counted(48);
  std::ranges::reverse(secret);
  const Watch watch(secret);
  Buffer growing = secret;
  EXPECT_EQ(Watch::found(), 0U);
  growing.reserve(growing.capacity() + 1000);
  EXPECT_EQ(Watch::found(), 1U) << "the block that was too small";
  cleanse(growing);
  growing = Buffer();
  EXPECT_EQ(Watch::found(), 1U) << "it was wiped";
}

StoredSession session_with(const Buffer& secret, std::size_t credential, std::size_t name) {
  StoredSession session;
  session.version = ProtocolVersion::dtls12;
  session.cipher_suite = CipherSuite::psk_with_aes_128_ccm_8;
  session.secret = schedule::HashSecret(secret);
  session.lifetime = Duration(1);
  session.peer.proof = handshake::PeerProof::certificate;
  session.peer.credential = counted(credential);
  session.peer.verified_name = std::string(name, 'v');
  session.server_name = std::string(name, 's');
  session.session_id = counted(std::min<std::size_t>(name, 32));
  session.ticket = counted(credential);
  return session;
}

TEST(SecretMemory, AStoredSessionLeavesNoCopy) {
  Buffer secret = counted(48);
  std::ranges::reverse(secret);
  const Watch watch(secret);
  for (const std::size_t credential : {1U, 300U, 30000U}) {
    for (std::size_t name = 0; name <= 255; name += 5) {
      const StoredSession session = session_with(secret, credential, name);
      Buffer bytes = session.encode();
      ASSERT_FALSE(bytes.empty());
      auto decoded = StoredSession::decode(bytes);
      cleanse(bytes);
      ASSERT_TRUE(decoded);
      const auto resumable = handshake::to_resumable(decoded->clone());
      ASSERT_TRUE(resumable);
      Buffer serialized = resumable->serialize();
      cleanse(serialized);
    }
  }
  EXPECT_EQ(Watch::found(), 0U);
}

class ResumedMemory : public test::ByVersion {};
INSTANTIATE_TEST_SUITE_P(Versions, ResumedMemory, test::both_versions(), test::name_of_version);

TEST_P(ResumedMemory, ATicketLeavesNoCopyOfItsSecret) {
  auto options = test::with_tickets(this->options());
  options.server_name = "a-name-of-more-than-twenty-eight-bytes.example";
  std::optional<ResumableSession> session = test::first_pair(options).client.sessions.at(0);
  {
    const Watch watch(session->session().secret.bytes());
    EXPECT_TRUE(test::is_resumed(test::resumed_pair(options, options, *session)));
    session.reset();
    EXPECT_EQ(Watch::found(), 0U);
  }
}

}  // namespace
}  // namespace sluice::dtls
