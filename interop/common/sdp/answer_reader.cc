#include "common/sdp/answer_reader.h"

namespace sluice::interop {

SdpResult<Answer> read_answer(std::string_view sdp) {
  auto answer = read_offer(sdp);
  // RFC 8842 section 5.3: the answer decides.
  if (answer && answer->transport.setup == Setup::actpass) {
    return tl::unexpected(SdpError{"The answer must say a=setup:active or a=setup:passive."});
  }
  return answer;
}

}  // namespace sluice::interop
