#include "connection/open_question.h"

#include <algorithm>
#include <type_traits>

namespace sluice::dtls::connection {
namespace {

using handshake::Question;

// PeerGate uses the lower numbers.
constexpr std::uint32_t kFirstId = 2;

std::size_t choices_of(const PskRequested& question) {
  return std::max<std::size_t>(1, question.identities.size());  // a client's question has no list
}
std::size_t choices_of(const IdentityRequested&) { return 1; }
std::size_t choices_of(const SignatureRequested&) { return 1; }
std::size_t choices_of(const SessionRequested&) { return 1; }
std::size_t choices_of(const ConfigRequested&) { return 1; }

// Whether `kind`, an index into Question's alternatives, is that of Asked.
template <class Asked>
bool is_of_kind(std::size_t kind) {
  static const std::size_t kIndex = Question(Asked{}).index();
  return kind == kIndex;
}

}  // namespace

Event OpenQuestion::pose(Question question) {
  const std::size_t kind = question.index();
  const QuestionId id{kFirstId + static_cast<std::uint32_t>(kind)};
  return std::visit(
      [&](auto& asked) {
        open_ = Open{id, kind, choices_of(asked)};
        asked.question = std::remove_cvref_t<decltype(asked.question)>(id);
        return Event(std::move(asked));
      },
      question);
}

bool OpenQuestion::takes(QuestionId question, const Answer& answer) const {
  if (!open_ || open_->question != question) return false;
  const auto& open = *open_;
  struct Fits {
    const Open& open;
    bool operator()(const AcceptPeer&) const { return false; }
    bool operator()(const RejectPeer&) const { return false; }
    bool operator()(const UsePsk& use) const {
      return is_of_kind<PskRequested>(open.kind) && use.index < open.choices;
    }
    bool operator()(const ResumeSession& resume) const {
      const bool may_resume =
          is_of_kind<PskRequested>(open.kind) || is_of_kind<SessionRequested>(open.kind);
      return may_resume && resume.index < open.choices;
    }
    bool operator()(const NoSession&) const { return is_of_kind<SessionRequested>(open.kind); }
    bool operator()(const NoPsk&) const { return is_of_kind<PskRequested>(open.kind); }
    bool operator()(const UseIdentity&) const { return is_of_kind<IdentityRequested>(open.kind); }
    bool operator()(const NoIdentity&) const { return is_of_kind<IdentityRequested>(open.kind); }
    bool operator()(const Signature&) const { return is_of_kind<SignatureRequested>(open.kind); }
    bool operator()(const NoSignature&) const { return is_of_kind<SignatureRequested>(open.kind); }
    bool operator()(const UseConfig& use) const {
      return is_of_kind<ConfigRequested>(open.kind) && use.config != nullptr;
    }
    bool operator()(const RefuseConnection&) const {
      return is_of_kind<ConfigRequested>(open.kind);
    }
  };
  return std::visit(Fits{open}, answer);
}

WaitingFor OpenQuestion::waiting_for() const {
  if (!open_) return WaitingFor::nothing;
  if (is_of_kind<ConfigRequested>(open_->kind)) return WaitingFor::config;
  if (is_of_kind<PskRequested>(open_->kind)) return WaitingFor::psk;
  if (is_of_kind<SessionRequested>(open_->kind)) return WaitingFor::session;
  if (is_of_kind<IdentityRequested>(open_->kind)) return WaitingFor::identity;
  return WaitingFor::signature;
}

}  // namespace sluice::dtls::connection
