#include <sluice/nice/ice_state.h>

namespace sluice::nice {
namespace {

std::string describe(const CandidateInfo& candidate) {
  const bool v6 = candidate.address.find(':') != std::string::npos;
  std::string text(to_string(candidate.type));
  if (candidate.tcp) text += "/tcp";
  text += v6 ? " [" : " ";
  text += candidate.address;
  text += v6 ? "]:" : ":";
  return text + std::to_string(candidate.port);
}

}  // namespace

std::string_view to_string(IceState state) {
  switch (state) {
    case IceState::gathering:
      return "gathering";
    case IceState::checking:
      return "checking";
    case IceState::connected:
      return "connected";
    case IceState::completed:
      return "completed";
    case IceState::failed:
      return "failed";
  }
  return "unknown";
}

std::string_view to_string(CandidateType type) {
  switch (type) {
    case CandidateType::host:
      return "host";
    case CandidateType::server_reflexive:
      return "srflx";
    case CandidateType::peer_reflexive:
      return "prflx";
    case CandidateType::relayed:
      return "relay";
  }
  return "unknown";
}

std::string_view to_string(CandidateStatus status) {
  switch (status) {
    case CandidateStatus::added:
      return "added";
    case CandidateStatus::unusable:
      return "unusable";
    case CandidateStatus::malformed:
      return "malformed";
    case CandidateStatus::stale:
      return "stale";
    case CandidateStatus::too_many:
      return "too_many";
    case CandidateStatus::no_remote_description:
      return "no_remote_description";
  }
  return "unknown";
}

std::string to_string(const CandidatePair& pair) {
  return describe(pair.local) + " - " + describe(pair.remote);
}

}  // namespace sluice::nice
