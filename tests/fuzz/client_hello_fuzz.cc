// A ClientHello's body and what a server would choose of it: nothing that either side doesn't have.
#include "fuzz/check.h"
#include "fuzz/input.h"
#include "message/client_hello.h"
#include "message/code_list_extension.h"
#include "negotiation/agreed_extensions.h"
#include "negotiation/selection.h"
#include "support/endpoints.h"
#include "support/fixed_identity.h"

namespace sluice::fuzz {
namespace {

using namespace dtls;
using message::ClientHello;
using message::ListWidth;
using wire::ExtensionType;

const ConfigOptions& options() {
  static const ConfigOptions kOptions = [] {
    ConfigOptions made;
    made.identities = {test::must(Identity::from_pem(test::kCertificate, test::kPrivateKey))};
    return made;
  }();
  return kOptions;
}

crypto::Library& library() { return test::environment().library(); }

bool is_usable(NamedGroup group, ProtocolVersion version) {
  return handshake::contains(handshake::usable_groups(options(), library(), Role::server, version),
                             group);
}

template <class Code>
bool is_offered(const ClientHello& hello, ExtensionType type, Code code) {
  const auto data = hello.extensions.find(type);
  if (!data) return false;
  const auto list = message::decode_code_list<Code>(*data, ListWidth::two);
  return list && list->contains(code);
}

void check(const Buffer& body) {
  const auto hello = ClientHello::decode(body);
  if (!hello) return;
  SLUICE_CHECK(hello->session_id.size() <= 32 && hello->cookie.size() <= 255);
  SLUICE_CHECK(!hello->cipher_suites.empty() && !hello->compression_methods.empty());

  const auto version = handshake::choose_version(options(), *hello);
  if (version) {
    SLUICE_CHECK(*version == ProtocolVersion::dtls12 || *version == ProtocolVersion::dtls13);
  }

  if (const auto choice = handshake::choose13(options(), library(), *hello)) {
    SLUICE_CHECK(hello->cipher_suites.contains(choice->suite->id));
    SLUICE_CHECK(handshake::contains(options().cipher_suites, choice->suite->id));
    // The options take psk_dhe_ke only.
    SLUICE_CHECK(choice->group && is_usable(*choice->group, ProtocolVersion::dtls13));
    SLUICE_CHECK(is_offered(*hello, ExtensionType::supported_groups, *choice->group));
  }
  record::RecordLayer records;
  handshake::Context context(options(), library(), records);
  if (!handshake::take_session_terms(context, hello->extensions)) return;
  const auto criteria = handshake::certificate_criteria(hello->extensions);
  if (!criteria) return;
  if (const auto own = handshake::choose_identity13(context, *criteria)) {
    SLUICE_CHECK(is_offered(*hello, ExtensionType::signature_algorithms, own->scheme));
  }

  if (const auto choice = handshake::choose12(context, *hello)) {
    SLUICE_CHECK(hello->cipher_suites.contains(choice->suite.id));
    SLUICE_CHECK(handshake::contains(options().cipher_suites, choice->suite.id));
    SLUICE_CHECK(choice->group.has_value() == uses_ecdhe(choice->suite.key_exchange));
    SLUICE_CHECK(choice->own.has_value() != uses_psk(choice->suite.key_exchange));
    if (choice->group) {
      SLUICE_CHECK(is_usable(*choice->group, ProtocolVersion::dtls12));
      SLUICE_CHECK(is_offered(*hello, ExtensionType::supported_groups, *choice->group) ||
                   !hello->extensions.has(ExtensionType::supported_groups));
    }
    if (choice->own) {
      SLUICE_CHECK(is_offered(*hello, ExtensionType::signature_algorithms, choice->own->scheme));
      SLUICE_CHECK(handshake::authenticates(choice->suite.key_exchange,
                                            choice->own->identity.credentials().type()));
    }
  }
  const auto agreed =
      handshake::agree_on_extensions(context, ProtocolVersion::dtls12, hello->extensions);
  if (agreed && agreed->srtp_profile) {
    SLUICE_CHECK(hello->extensions.has(ExtensionType::use_srtp));
    SLUICE_CHECK(handshake::contains(options().srtp_profiles, *agreed->srtp_profile));
  }
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::fuzz::check(sluice::test::copy_of(sluice::fuzz::bytes_of(data, size)));
  return 0;
}
