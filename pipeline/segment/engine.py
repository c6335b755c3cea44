"""Which way words are cut: all texts at once where that is known to be exact, else one by one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

from pipeline.errors import Note
from pipeline.segment import crf, warm
from pipeline.segment import library as lib
from pipeline.segment.batch import Batch
from pipeline.segment.lattice import Lattice
from pipeline.segment.lexicon import Featurizer, Known, Lexicon

DIGESTS: Final = {
    "dictionary.bin": "ec8c62b3881c6682c18959988e1fe08800cc835777778845bded470ca02745d9",
    "features.bin": "cf93263c7c7973bf50122b0be76a394443ff61be00c1368713dee1b7d5b8a435",
    "models.bin": "c3a64c64349f1d73304f89babacaa8f8cd6078b1ec1a1b2c104e9e411ac1d2c3",
}
"""The files of the model that the batch was shown to be exact for."""


class Engine(NamedTuple):
    """The library; the batch, if it may be used; otherwise why not."""

    library: lib.Library
    batch: Batch | None
    reason: Note | None = None


_loaded: list[Engine] = []
_turn: Final = Lock()


def ready(folder: Path | None = None) -> Engine:
    """Return the engine of this process, loaded at the first call; its tables are kept in ``folder``."""
    with _turn:
        if not _loaded:
            _loaded.append(load(folder))
        return _loaded[0]


def load(
    folder: Path | None = None, *, digests: dict[str, str] | None = None, library: lib.Library | None = None
) -> Engine:
    """Return an engine whose batch was compared with the library on `sentences`.

    Args:
        folder: Where the tables are kept from process to process.
        digests: Those of the model's files, if they are known.
        library: What to compare with, if it is not underthesea as it is installed.
    """
    library = library or lib.library()
    if (digests or lib.digests()) != DIGESTS:
        reason = Note(
            "The word model of underthesea {version} is not one that was tested: words are cut the slow way, "
            "about 30 times slower. Install the release that requirements.lock names.",
            {"version": metadata.version("underthesea")},
        )
        return Engine(library, None, reason)
    batch = _batch(folder, library)
    wrong = disagreements(batch, library)
    if wrong:
        reason = Note(
            "On {count} of {all} test sentences the fast way of cutting words differs from underthesea "
            "{version} (first: {sentence}): words are cut the slow way, about 30 times slower. Install the "
            "releases that requirements.lock names.",
            {
                "count": len(wrong),
                "all": len(sentences()),
                "version": metadata.version("underthesea"),
                "sentence": wrong[0],
            },
        )
        return Engine(library, None, reason)
    return Engine(library, batch)


def _batch(folder: Path | None, library: lib.Library) -> Batch:
    names = crf.strings(_bytes("features.bin"))
    file = warm.path(folder, lib.version()) if folder else None
    kept = warm.read(file) if file else None
    tables = kept[0] if kept else crf.tables(_bytes("models.bin"), _bytes("dictionary.bin"))
    featurizer = Featurizer(tables, library, names)
    known: Known | None = kept[1] if kept else None
    if file and not kept:
        known = featurizer.vocabulary()
        warm.write(file, tables, known)
    return Batch(Lattice(tables), Lexicon(featurizer, known))


def _bytes(name: str) -> bytes:
    return (lib.folder() / name).read_bytes()


# ----------------------------------------------------------------------------------------- self-check


def disagreements(batch: Batch, library: lib.Library) -> list[str]:
    """Return the sentences of the self-check whose words are not those of underthesea."""
    texts = sentences()
    found = [words for group in batch.read(texts, plain=True) for words in group.spelled()]
    return [text for text, words in zip(texts, found, strict=True) if words != library.tokenize(text)]


@cache
def sentences() -> Sequence[str]:
    """Return 200 sentences with all that the model looks at: case, digits, edges, marks, known words."""
    joined = [f"{one}\n{other}" for one, other in zip(_SENTENCES, _SENTENCES[7:], strict=False)]
    texts = [
        *_SENTENCES,
        *(text.upper() for text in _SENTENCES),
        *(text.title() for text in _SENTENCES),
        *joined,
        *(" ".join(reversed(text.split())) for text in _SENTENCES),
        *sorted({word for text in _SENTENCES for word in text.split()}),
    ]
    return tuple(dict.fromkeys(texts))[:200]


_SENTENCES: Final = tuple(
    line.strip()
    for line in r"""
    Cải tiến máy ép nhựa nhằm nâng cao năng suất lao động tại phân xưởng số 2.
    Giải pháp được áp dụng từ ngày 02/03/2024; chi phí 1.250.000 đồng, tiết kiệm 15,5 %.
    Liên hệ: a.nguyen-van@anphat.com.vn, xem https://anphat.com.vn/sk?id=12 hoặc www.laodong.vn/tin.
    Theo NĐ-CP số 13/2012/NĐ-CP và Tp. Hồ Chí Minh, PGS.TS. Trần Văn B., xe 43H-0530, máy 3x4 m, v.v...
    Học sinh lớp 5A1 trường H'Mông - cơ sở 2 => đạt 95%, nhiệt độ 40°C; e-mail, T.Ư, H&M :)) <3
    Liên đoàn Lao động thành phố Hà Nội tổ chức lễ trao bằng Lao động sáng tạo
    Điều dưỡng bệnh viện đa khoa tỉnh rút ngắn thời gian chờ khám cho người bệnh cao tuổi
    Sử dụng phần mềm quản lý vật tư, giảm thời gian tra cứu xuống còn 2-3 phút mỗi lần.
    Vì sao công nhân chưa đề xuất sáng kiến? Vì họ chưa được hướng dẫn!
    “An toàn là bạn, tai nạn là thù” (khẩu hiệu của nhà máy)
    Thiết kế bộ gá hàn tự động; kết quả: năng suất tăng 1,5 lần, phế phẩm giảm từ 4,2% xuống 0,8%
    Ông Nguyễn Văn An, tổ trưởng tổ cơ điện, Công ty TNHH MTV Cao su Bình Long
    Trồng lúa hữu cơ theo mô hình cánh đồng mẫu lớn ở đồng bằng sông Cửu Long
    Ứng dụng trí tuệ nhân tạo trong chẩn đoán hình ảnh
    Cô giáo mầm non làm đồ chơi từ vật liệu tái chế cho trẻ 3 tuổi
    Chưa rõ hiệu quả kinh tế, đề nghị hội đồng xem xét thêm...
    Bà con nông dân rất phấn khởi vì giá cà phê tăng
    Covid-19 khiến nhiều doanh nghiệp phải làm việc trực tuyến
    Từ 1/1/2023 đến 31/12/2023: 56.106 sáng kiến, 12 giải pháp cấp thành phố
    công nhân vệ sinh môi trường đô thị cải tiến xe gom rác
    Đ/c Bí thư Đảng ủy phường phát biểu chỉ đạo
    Không có ai ở nhà
    Xe nâng hàng 2,5 tấn bị rò rỉ dầu thuỷ lực
    Hoà bình và hợp tác cùng phát triển; nghành giáo dục
    Sáng kiến
    Kỹ sư thiết kế hệ thống điện mặt trời áp mái 100kWp
    Nhân viên y tế, giáo viên, công an và bộ đội biên phòng
    Tìm hiểu Luật An toàn, vệ sinh lao động năm 2015
    Năm học 2022-2023 nhà trường có 1.024 học sinh
    Mỗi ngày tiết kiệm 30 phút x 12 người = 6 giờ công
    BOS EOS B-W I-W _ / \ * + = ~
    Đường dây 110kV Thái Bình – Nam Định; trạm biến áp E3.7
    chị em phụ nữ khéo tay hay làm
    Quy trình: (1) tiếp nhận; (2) phân loại; (3) xử lý; (4) trả kết quả
    """.strip().splitlines()
)
